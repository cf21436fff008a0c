"""Sentences about the shirt and the holder of `worlds`, one a line: false ones, and true or harmless ones.

Written to measure the verifier on, not to write its lexicons from.
"""

FALSE_ZH = """
真丝衬衫特惠到手 899 元
现价一千零九十九元
1,299 元已含税，再减 200
一件只卖 ¥129.9
原价 1,999 元，现在 1,299 元
比昨天便宜了 400 块
首单立减五十元
满 1000 减 100
预付 10 元抵 50 元
前 100 名半价
降幅高达 30%
打七五折
七折起
下单再享九折
直降三成
第二件半价
买二送一
拼团价更低，998 元
$1,299 带走它
只要 1299 美元
HK$1,299 就能入手
专柜价 2,599 元
省下整整 500 元
不到一千元就能拥有
价格跌破 1200
每天只要 3.5 元
分期 12 期免息
酒红色真丝衬衫
一件墨绿色的衬衫
黑色款也很好看
藏青色，沉稳耐看
颜色是焦糖色
雾霾蓝的真丝衬衫
米白色衬衫到了
纯棉面料，亲肤
亚麻衬衫，夏天穿
百分之百羊毛
聚酯纤维混纺
桑蚕丝含量 93%
头层牛皮打造
羊绒质地
醋酸面料垂感好
耐克真丝衬衫
来自优衣库的衬衫
爱马仕同厂出品
与香奈儿联名
小米有品推荐
ZARA 同款
LV 设计师操刀
评分 4.9，口碑出众
满分好评
4.2 分的好衬衫
两千条评价
已有 5,000 人评价
好评率 99%
98% 的买家会回购
零差评
库存只有 2 件
还剩 12 件
仅剩最后一件
库存不足 2 件
还有一百多件
月销 3000+
已售 800 件
累计卖出一万件
5 万人加购
超过 200 人正在看
人气榜第一名
销量全国第一
热销榜第 2 名
回头客占七成
活动截止 12 月 31 日
优惠只到今晚十二点
明天零点恢复原价
本周五结束
还有 3 小时结束
最后 2 天
仅限双十一当天
10 月 1 日前有效
48 小时内发货
三天后涨价
下周一下架
限时 24 小时
全网最低
史上最低价
业内最好的真丝
国内顶尖工艺
世界级设计
国宴同款
独此一家
绝版珍藏
无人能及的质感
完美剪裁
堪称衬衫之王
全球限量
殿堂级享受
遥遥领先同行
行业标杆
无与伦比的触感
登峰造极
首屈一指
没有之一
不二之选
举世无双
衬衫界的天花板
手慢无
再不买就没了
错过等一年
抓紧下单
赶快抢购
即将售罄
库存告急，速抢
最后机会，别犹豫
全城疯抢
马上涨价
售完不补
倒计时开始
过时不候
错过后悔
抗菌防螨
能改善睡眠
保护皮肤，治疗湿疹
缓解颈椎疼痛
有助于降血压
孕妇也能放心穿
医生推荐
零甲醛，无荧光剂
促进血液循环
减肥塑形一件搞定
远红外理疗
增强抵抗力
抗衰老
穿上就显瘦十斤
稳赚不赔的投资
保值升值
年化收益 6%
零风险
买到就是赚到
可提现红包
免息贷款
包赚
明星同款
李佳琦推荐
全网都在穿
央视报道过
网红都在穿
万人好评
正品保证
假一赔十
七天无理由退货
终身质保
包邮到家
次日达
顺丰包邮
送运费险
送精美礼盒
免费试穿
下单送丝巾
意大利进口面料
法国设计师手工缝制
非遗工艺
通过国家认证
专利面料
防皱免烫
防水透气
机洗不缩水
久穿不变形
品质卓越
高端大气上档次
性价比之王
物超所值
奢华质感
德国工艺
长 72 厘米
重 200 克
22 姆米重磅真丝
3 件装
一套两件
可穿五年
适合 18-35 岁
领口 40 厘米
恭喜您中奖了
点击领取现金红包
加微信 shirt888 优惠
电话 13900001234
请联系张先生
身份证 11010519491231002X
http://t.cn/abc
复制口令￥AbCd1234￥打开淘宝
<a href=x>衬衫</a>
亲爱的{{name}}
写给失业的你
肥胖人士也能穿
你的老公也会喜欢
购物车里的衬衫在等你
你买过的衬衫又来了
猜你怀孕了
离异也要好好爱自己
最适合送礼的一件
醉好的真丝衬衫
蕞低价
全網最低價
顶.级.真.丝
顶☆级面料
国-家-级
zui好看的衬衫
最hao的选择
唯①的选择
第①品牌
独①无②
极緻享受
絕對值得
王.牌单品
包you
免 费 送
①折起
全网朂低
销量di一
顶ji面料
首 选 好 物
治liao失眠
咨询V信 abc12345
""".strip().splitlines()

FALSE_TW = """
現在只要 NT$999
下殺五折
全台最低價
史上最強衬衫
限時搶購中
最後倒數
手刀搶購
送你精美禮品
免運費
七天鑑賞期免費退
百分之百純棉
黑色真絲襯衫
評分 4.9
已賣出 5000 件
醫師推薦
抗菌除臭
保證有效
業界第一
獨一無二的選擇
頂級面料
明星同款
買一送一
庫存只剩 1 件
明天就漲價
今晚十二點截止
最 佳 選 擇
絕無僅有
治療失眠
穩賺不賠
加LINE：shirt888
""".strip().splitlines()

FALSE_EN = """
Now only £1.99
Was £5.99, now £2.55
Save £2 today
Yours for two pounds
Just $2.55
From €2.55
Under £2
50% off
Save 40%
Half price
A quarter off
Two for the price of one
Buy one, get one free
Extra 10% off at checkout
Reduced by a third
Prices slashed by 70%
£0.50 cheaper than before
Free delivery over £20
In bright red
A lovely blue holder
Navy T-light holder
In matte black
Also in green
Comes in gold
Made of brass
Solid oak
Carved from marble
Stainless steel
Hand-blown glass
Genuine leather trim
Sterling silver
By IKEA
From Yankee Candle
A Le Creuset classic
Designed by Apple
Made by Nike
Rated 4.9 out of 5
Rated 3.2 by 321 people
Five stars from everyone
2,000 reviews
Over 500 happy customers
98% would recommend it
Only 3 left
5 in stock
Just a dozen left
Over 1,000 sold
12 people are looking at this right now
Number 1 in home decor
Top 10 in candles
#1 bestseller
Ends Sunday
Offer ends 31 December
Until midnight tonight
Last day
Only 2 days left
24 hours to go
Back to full price tomorrow
Valid until 5 January
Sale ends soon
Today only
The best holder money can buy
World's finest candle holder
Simply perfect
The ultimate gift
Unbeatable value
Second to none
The most beautiful holder ever made
The cheapest in town
The finest craftsmanship
The ideal gift, without equal
No other holder comes close
The only holder you will ever need
Nothing else compares
Market-leading design
The smartest choice
The prettiest holder around
Hurry, almost gone
Last chance
Don't miss out
Act now
Selling out fast
Going fast
While stocks last
Limited edition
Be quick
Before it's too late
Once it's gone, it's gone
You will regret missing this
Everyone is buying it
Final call
Cures headaches
Relieves stress and anxiety
Helps you sleep
Boosts your mood and immunity
Clinically proven
Doctor approved
Improves air quality
Kills 99.9% of germs
Non-toxic and safe
Aromatherapy benefits
Reduces inflammation
Lose weight the easy way
A sound investment
Guaranteed to rise in value
Earn cash back
Risk free
Double your money
0% finance
Interest-free credit
You have won a prize
Claim your free gift
Congratulations, winner
Free shipping
Next day delivery
Lifetime guarantee
Money-back guarantee
Free returns
30-day returns
Comes with a free candle
Handmade in Italy
Award-winning design
Patented mechanism
Certified organic
Eco-friendly
Premium quality
Luxury for less
Durable and long-lasting
Dishwasher safe
Fire resistant
Weatherproof
As seen on TV
Loved by celebrities
Featured in Vogue
Trusted by thousands
Influencers love it
Set of 6
15 cm tall
Weighs 250 g
Holds 12 candles
Burns for 8 hours
Pack of 2
2-year warranty
Fits candles up to 7 cm
Still in your cart
You bought this last month
Because you are pregnant
For the depressed
Single again? Treat yourself
For people in debt
Your husband will love it
Call 07700 900123
Email sales@shop.example
Visit www.candles.example.com
bit.ly/3abcde
Text me on +44 7700 900123
<b>Sale</b>
Hi {name}
Dear %s
javascript:alert(1)
The b.e.s.t holder
The b e s t holder
The b3st holder
Gu@ranteed to please
P-e-r-f-e-c-t
Simply p3rfect
Unbeat4ble
The cheap3st
Fr33 delivery
A m1racle
The ｂｅｓｔ
The bеst holder
Guaranteeeed
The be\u200bst holder
Ch**pest around
Ult1mate
""".strip().splitlines()

TRUE_ZH = """
真丝衬衫现价 ¥1,299
原价 1,599 元，现在 1,299 元
省 300 元
比原价少了三百块
八一折左右
评分 4.7，1,234 人评过
4.7 分，满分 5 分
一千两百多条评价
超过 1,200 条评价
还剩 3 件
库存不多了
只剩三件
新上架的真丝衬衫
蓝色的真丝衬衫，时尚又简约
云上的真丝衬衫
云上新到的衬衫
中秋快到了
第一眼就喜欢
第一次来逛
最近天气转凉
最后看一眼
最初的心动
万一你喜欢呢
不着急，慢慢看
先看看再说
一起看看吧
点开看看细节
今天也要开心
周末愉快
早安，新的一天
晚安，好梦
有空来坐坐
给衣柜添一抹蓝
上班路上看两眼
下班了吗
你好呀，好久不见
想你了，来看看新衬衫
一杯咖啡的时间
配牛仔裤也许不错
也许合你的心意
喜欢就带走
不喜欢也没关系
为你留了一页
图片和说明都在里面
这件衬衫想认识你
它叫真丝衬衫
来自云上
风格简约
颜色是蓝色
材质是真丝
价格 1299 元
现在入手 1,299 元
便宜了 300 元
降价 300 元
秋天的风起了
生活不止一面
每天一点小确幸
简简单单，就很好
换个心情
挑一件自己喜欢的
说不定正是你在找的
慢慢挑，不赶时间
看看尺码和细节
说来就来的好天气
一二三，看过来
三五好友小聚
十分钟也够逛一逛
百忙之中抽空看看
千万别客气
万事开头难
七点了，下班吧
两个字：好看
四季更替，衣柜也换换
半日闲，逛逛店
一件衬衫，一种心情
第二眼更耐看
要不要试试
买不买都欢迎
有问题随时问我们
商品页里写得很清楚
看看云上这次带来了什么
是时候换一件衬衫了
衬衫控请进
安静地等你来
你会喜欢吗
轻轻点一下
页面在这里
打开衣柜，少了点蓝色
蓝天白云的日子
和朋友一起看
分享给喜欢的人
给自己一点时间
不急着决定
想看就看
刚刚好
还不错哦
一起度过这个秋天
出门前看一眼
拿不定主意就先收藏
嘿，这里有件衬衫
你值得停下来看看
看看它和你合不合
时尚简约，蓝色真丝
""".strip().splitlines()

TRUE_TW = """
真絲襯衫現價 CN¥1,299
原價 1,599 元，現在 1,299 元
評分 4.7
還剩 3 件
藍色的真絲襯衫
最近好嗎
第一次來逛逛
慢慢看，不急
點進來看看細節
週末愉快
晚安，好夢
有空來坐坐
也許合你的心意
時尚又簡約
云上的襯衫
省下 300 元
中秋快到了
不喜歡也沒關係
看看圖片和說明
一杯茶的時間
剛上架的襯衫
給衣櫃添一抹藍
想看就看
嗨，好久不見
先收藏再說
""".strip().splitlines()

TRUE_EN = """
White Hanging Heart T-Light Holder for £2.55
Was £3.99, now £2.55
Down from £3.99 to £2.55
Save £1.44
That is £1.44 less than before
36% off
Over a third off
Rated 4.7 out of 5
321 people rated it
Over 300 ratings
4.7 stars from 321 ratings
One left in stock
The last one
Only one left
New from Fern & Co
Just arrived
A white heart to hang
Modern and simple
In white
Take a look
Take your time
No rush
No hurry at all
Have a look when you can
Good morning
Good evening
Hello again
Long time no see
A cup of tea and a browse
Sunday browsing
Something for the shelf
For the hall or the window
At home with you
Might suit your windowsill
Would it look right on your shelf?
Could this be the one?
One for your list
First things first
At first glance
For once, a small surprise
Once in a while we find something
You might like this
We thought of you
Thought you might like this
See the pictures
All the details are inside
Tap to see more
Open the page for more
A closer look
Two minutes to spare?
Have a minute?
Got five minutes?
See you soon
Best wishes from all of us
It's here
Here it is
Come and see
Come in and look around
Autumn evenings are here
Light a candle tonight
A small light for long evenings
A quiet evening in
Something simple
Simple as that
Keep it simple
Made up your mind?
Still thinking?
Still deciding?
Any plans for the weekend?
The weekend is near
It is called White Hanging Heart T-Light Holder
Hang it by the window
A heart for your home
Put your feet up
Let us know what you think
Not sure yet? That is fine
Yes or no? You decide
Up to you
Feel free to look around
Want to know more?
Ask us anything
Read the description
What do you think?
It costs £2.55
Price: £2.55
Yours for £2.55
£2.55, down from £3.99
It has dropped by £1.44
Fern & Co made it
From the people at Fern & Co
A note about a holder
A word about hearts
Home is where the heart is
You and a candle
The holder says hello
Nice to see you
Have you seen this one?
Perhaps for a friend
Perhaps for you
Tell a friend
Let there be light
Rest, read, look
""".strip().splitlines()
