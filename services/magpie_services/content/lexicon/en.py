"""English: superlatives, guarantees, invented urgency, medical and financial promises, as whole words.

NFKC, lower case, nothing hidden; letters set apart by dots or stars are put together.
"""

# Blocked, but for an item whose own name holds the word (a mug called "World's Best Dad").
SUPERLATIVE = (
    r"best|greatest|finest|perfect|ultimate|number one|no\.? ?1(?!\d)|#1(?!\d)|superior|"
    r"flawless|lowest|highest"
)
BLOCK = (
    r"cheapest|lowest[- ]price[sd]?|highest quality|world[- ]class|"
    r"world'?s (?:first|only|leading)|unbeatable|unrivall?ed|unmatched|unparallel?ed|"
    r"guarantee[ds]?|100 ?% (?:effective|safe|satisfaction)|miracle|cures?|heals?|"
    r"treats? (?:pain|disease|anxiety|acne)|clinically proven|doctor recommended|risk[- ]free|"
    r"get rich|double your money|once in a lifetime|last chance|act now|hurry|"
    r"don'?t miss(?: out)?|before it'?s too late|never again|you'?ll regret|no side effects|"
    r"instant results|you(?:'ve| have) won|congratulations|click here to claim"
)
NEEDS_EVIDENCE = (
    r"free|exclusive|limited[- ]edition|limited[- ]time|limited offer|today only|"
    r"ends (?:today|tonight|soon)|this weekend only|flash sale|clearance|sale|on sale|deal|"
    r"bargain|top[- ]rated|best[- ]selling|bestseller|award[- ]winning|must[- ]have|"
    r"premium quality|premium|high[- ]quality|top[- ]quality|quality|luxury|luxurious|"
    r"excellent|outstanding|amazing|incredible|durable|long[- ]lasting|comfortable|comfy|soft|"
    r"waterproof|organic|natural|eco[- ]friendly|sustainable|healthy|safe|non[- ]toxic|"
    r"hypoallergenic|anti[- ]ageing|anti[- ]aging|slimming|weight loss|detox|boosts?|certified|"
    r"patented|genuine|authentic|original|imported|handmade|handcrafted|lifetime|warranty|"
    r"money[- ]back|free shipping|free returns|investment|profit|returns|affordable|cheap|"
    r"value for money|great price|low price|essential|first class|latest|fastest|strongest|"
    r"largest|smallest|lightest|softest"
)
WARN = r"stunning|gorgeous|beautiful|super|ultra|mega|unbelievable|wow|treat yourself"
LEGAL = r"no hurry|best (?:friend|man|wishes|regards|before)|soft toy|sale of goods|highest bidder"
SCARCE = (
    r"almost gone|selling (?:out|fast)|low stock|while (?:stocks?|supplies) last|"
    r"limited (?:stock|quantity)|few left|running out|nearly sold out"
)
COLOURS = (
    r"red|yellow|green|blue|navy|purple|violet|black|white|grey|gray|pink|brown|beige|ivory|"
    r"teal|turquoise|khaki|burgundy|maroon|crimson|scarlet|lavender|magenta|orange|indigo"
)
MATERIALS = (
    r"cotton|linen|wool|cashmere|silk|leather|suede|stainless steel|ceramic|porcelain|bamboo|"
    r"oak|walnut|polyester|nylon|silicone|aluminium|aluminum|titanium|velvet|denim|marble|"
    r"gold[- ]plated|sterling silver|goose down"
)
BRANDS = (
    r"nike|adidas|puma|samsung|sony|huawei|xiaomi|dyson|philips|panasonic|bosch|chanel|dior|"
    r"gucci|prada|hermes|rolex|louis vuitton|lancome|l'oreal|estee lauder|clinique|starbucks|"
    r"lego|ikea|uniqlo|zara|levi's|ray-ban|iphone|ipad|macbook|playstation|nintendo"
)
TRAITS = r"(?!)"
CLAIMS = (
    (
        "discount",
        r"price (?:drop|went down|down)|lower price|reduced|discount(?:ed)?|marked down|"
        r"\boff\b|save|saves you|saving",
    ),
    (
        "new",
        r"new (?:in|from|by|arrival|face|release)|just (?:in|arrived|added)|newly|brand[- ]new",
    ),
    (
        "back",
        r"back in stock|restocked|available again|came back in stock|available once more",
    ),
    (
        "cart",
        r"your (?:cart|basket|bag)",
    ),
    (
        "popular",
        r"trending|popular|bestseller|best[- ]selling|many people|everyone'?s?|much noticed",
    ),
    (
        "rated",
        r"rated|top[- ]rated|highly rated|five[- ]star",
    ),
    (
        "bought",
        r"you bought|you have bought|your last order|you chose|your purchase",
    ),
    (
        "viewed",
        r"you (?:viewed|looked at|browsed|saw)",
    ),
)
