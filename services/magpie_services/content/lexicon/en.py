"""English: superlatives, guarantees, invented urgency, medical and financial promises. Matched by whole words.

The text is NFKC, lower case, without hidden characters; letters set apart by dots or stars are put together.
"""

# Blocked, but for an item whose own name holds the word (a mug called "World's Best Dad").
SUPERLATIVE = r"best|greatest|finest|perfect|ultimate|number one|no\.? ?1(?!\d)|#1(?!\d)|superior|flawless|lowest|highest"
BLOCK = (
    r"cheapest|lowest[- ]price[sd]?|highest quality|world[- ]class|world'?s (?:first|only|leading)|unbeatable|unrivall?ed|"
    r"unmatched|unparallel?ed|guarantee[ds]?|100 ?% (?:effective|safe|satisfaction)|miracle|cures?|heals?|"
    r"treats? (?:pain|disease|anxiety|acne)|clinically proven|doctor recommended|risk[- ]free|get rich|double your money|"
    r"once in a lifetime|last chance|act now|hurry|don'?t miss(?: out)?|before it'?s too late|never again|you'?ll regret|"
    r"no side effects|instant results|you(?:'ve| have) won|congratulations|click here to claim"
)
NEEDS_EVIDENCE = (
    r"free|exclusive|limited[- ]edition|limited[- ]time|limited offer|today only|ends (?:today|tonight|soon)|this weekend only|flash sale|"
    r"clearance|sale|on sale|deal|bargain|top[- ]rated|best[- ]selling|bestseller|award[- ]winning|must[- ]have|premium quality|premium|"
    r"high[- ]quality|top[- ]quality|quality|luxury|luxurious|excellent|outstanding|amazing|incredible|durable|long[- ]lasting|"
    r"comfortable|comfy|soft|waterproof|organic|natural|eco[- ]friendly|sustainable|healthy|safe|non[- ]toxic|hypoallergenic|"
    r"anti[- ]ageing|anti[- ]aging|slimming|weight loss|detox|boosts?|certified|patented|genuine|authentic|original|imported|handmade|"
    r"handcrafted|lifetime|warranty|money[- ]back|free shipping|free returns|investment|profit|returns|affordable|cheap|value for money|"
    r"great price|low price|essential|first class|latest|fastest|strongest|largest|smallest|lightest|softest"
)
WARN = r"stunning|gorgeous|beautiful|super|ultra|mega|unbelievable|wow|treat yourself"
LEGAL = r"best (?:friend|man|wishes|regards|before)|soft toy|sale of goods|highest bidder"
SCARCE = r"almost gone|selling (?:out|fast)|low stock|while (?:stocks?|supplies) last|limited (?:stock|quantity)|few left|running out|nearly sold out"
COLOURS = (
    r"red|yellow|green|blue|navy|purple|violet|black|white|grey|gray|pink|brown|beige|ivory|teal|turquoise|khaki|burgundy|maroon|"
    r"crimson|scarlet|lavender|magenta|orange|indigo"
)
MATERIALS = (
    r"cotton|linen|wool|cashmere|silk|leather|suede|stainless steel|ceramic|porcelain|bamboo|oak|walnut|polyester|nylon|silicone|"
    r"aluminium|aluminum|titanium|velvet|denim|marble|gold[- ]plated|sterling silver|goose down"
)
BRANDS = (
    r"nike|adidas|puma|samsung|sony|huawei|xiaomi|dyson|philips|panasonic|bosch|chanel|dior|gucci|prada|hermes|rolex|louis vuitton|"
    r"lancome|l'oreal|estee lauder|clinique|starbucks|lego|ikea|uniqlo|zara|levi's|ray-ban|iphone|ipad|macbook|playstation|nintendo"
)
TRAITS = r"(?!)"
CLAIMS = (
    (
        "discount",
        r"price (?:drop|went down|down)|lower price|reduced|discount(?:ed)?|marked down|\boff\b|save|saves you|saving",
    ),
    ("new", r"new (?:in|from|by|arrival|face|release)|just (?:in|arrived|added)|newly|brand[- ]new"),
    ("back", r"back in stock|restocked|available again|came back in stock|available once more"),
    ("cart", r"your (?:cart|basket|bag)"),
    ("popular", r"trending|popular|bestseller|best[- ]selling|many people|everyone'?s?|much noticed"),
    ("rated", r"rated|top[- ]rated|highly rated|five[- ]star"),
    ("bought", r"you bought|you have bought|your last order|you chose|your purchase"),
    ("viewed", r"you (?:viewed|looked at|browsed|saw)"),
)
