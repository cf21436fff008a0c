"""English. No verb agrees with an item's name, which may be singular or plural."""

from magpie_services.content.grammar.patterns import Forms, Grammar, pattern, patterns
from magpie_services.content.strategies import Strategy

_STRATEGIES = {
    Strategy.PLAIN: Forms(
        titles=patterns(
            every=["{item}", "Picked for you: {item}", "Have a look: {item}", "From {liked}: {item}"],
            plain=["One for you: {item}", "You might like {item}", "{item} by {brand}"],
            playful=["Say hello to {item}", "Meet {item}", "Knock knock: {item}"],
            premium=["For your consideration: {item}", "Presenting {item}"],
        ),
        bodies=patterns(
            every=[
                "{item}: {attrs}.",
                "We thought of you when we saw {item}.",
                "You often look at {liked}, so here is {item}.",
                "A few words about it: {attrs}.",
            ],
            plain=[
                "Now in the shop for {price}: {item}.",
                "{attrs}, for {price}.",
                "By {brand}: {attrs}.",
                "You may like {item}. Have a look when you have a moment.",
                "For {someone}: {attrs}.",
            ],
            playful=[
                "{attrs}. Ring any bells?",
                "{item} just waved at you from the shelf.",
                "We saw {item} and your name came up.",
                "Guess what: {attrs}. Could this be the one?",
            ],
            premium=[
                "{attrs}. For {someone}.",
                "{look}, and in no hurry.",
                "{item}, whenever you have a quiet moment.",
            ],
        ),
        emoji=("👋", "💌", "🎈"),
    ),
    Strategy.PRICE_DROP: Forms(
        titles=patterns(
            every=[
                "{drop|Price drop}: {item}",
                "{item}, now {price}",
                "{off} off {item}",
                "Now {price}: {item}",
            ],
            plain=["Save {saved} on {item}", "{item} for {price}, was {was}", "{drop|Lower price}: {item}"],
            playful=["Psst: {item}, {off} off", "{item} just got {drop|lighter on the wallet}"],
            premium=["{item}, now at {price}", "{drop|A new price} for {item}"],
        ),
        bodies=patterns(
            every=[
                "Was {was}, now {price}. That saves you {saved}.",
                "Now {price}, {off} off the earlier {was}.",
                "{attrs}, now {price} instead of {was}.",
                "The price {drop|went down} from {was} to {price}.",
            ],
            plain=[
                "You can have {item} for {price}. It was {was} before.",
                "{item} {drop|came down} to {price}.",
                "{drop|Price down} until {ends}: now {price}, was {was}.",
            ],
            playful=[
                "{was} became {price}. Your wallet says thanks.",
                "{saved} saved, to spend as you like. Now {price}.",
                "A little bird told us: now {price}, was {was}.",
            ],
            premium=["{item}, formerly {was}, now {price}.", "{attrs}, now at {price}."],
        ),
        emoji=("🎈", "💰", "🎉"),
    ),
    Strategy.BACK_IN_STOCK: Forms(
        titles=patterns(
            every=[
                "{back|Back in stock}: {item}",
                "{item}, {back|back in stock}",
                "{back|It's back}: {item}",
                "{item} {back|has returned}",
            ],
            plain=["{back|Available again}: {item}", "{back|Restocked}: {item}"],
            playful=["Guess who's {back|back}: {item}", "Look who {back|came back}: {item}"],
            premium=["{item}, {back|available once more}", "{back|Returned to the shop}: {item}"],
        ),
        bodies=patterns(
            every=[
                "It was sold out, and now {item} {back|is back}.",
                "{back|Back in stock}: {attrs}, for {price}.",
                "{item} {back|came back in stock}, at {price}.",
                "Missed it before? {item} {back|is here again}.",
            ],
            plain=["{back|Restocked} and ready to order at {price}.", "{attrs}, {back|available again}."],
            playful=[
                "After a little holiday, {item} {back|came home}.",
                "The shelf was empty. Now it {back|isn't}.",
            ],
            premium=["{item} {back|has returned to the shop}.", "{attrs}. {back|In the shop once more}."],
        ),
        emoji=("📦", "🙌", "🎈"),
    ),
    Strategy.LOW_STOCK: Forms(
        titles=patterns(
            every=[
                "{stock} left: {item}",
                "{item}: {stock} left",
                "{few|Low stock}: {item}",
                "{stock} in stock: {item}",
            ],
            plain=["Just {stock} left: {item}", "Stock note: {stock} left of {item}"],
            playful=["We counted: {stock} left of {item}", "{item}, {stock} still here"],
            premium=["{item}, {stock} remaining", "{stock} remaining: {item}"],
        ),
        bodies=patterns(
            every=[
                "{stock} left in stock, if you would like one.",
                "{stock} left in stock, at {price}.",
                "{attrs}. {stock} left in stock.",
                "We have {stock} left of {item}.",
            ],
            plain=["{item}: {stock} left, at {price}.", "Our shelf holds {stock} more of {item}."],
            playful=["We counted twice: {stock} left on the shelf.", "{stock} left, and one could be yours."],
            premium=["{stock} remaining in the shop, for {someone}.", "{attrs}. {stock} remaining."],
        ),
        emoji=("👀", "🔔"),
    ),
    Strategy.CART_REMINDER: Forms(
        titles=patterns(
            every=[
                "Still in {cart|your cart}: {item}",
                "{item}, still in {cart|your cart}",
                "Still thinking about {item}?",
                "In {cart|your cart}: {item}",
            ],
            plain=["{cart|Your cart} holds {item}", "{cart|Cart} reminder: {item}"],
            playful=["{cart|Your cart} misses you", "{item} says hi from {cart|your cart}"],
            premium=["Kept in {cart|your cart}: {item}", "{item}, waiting in {cart|your cart}"],
        ),
        bodies=patterns(
            every=[
                "You {cart|put} {item} {cart|in your cart}. Now at {price}.",
                "{item}: still in {cart|your cart}, whenever you are ready.",
                "{attrs}, and still in {cart|your cart}.",
                "We kept {item} in {cart|your cart} for you.",
            ],
            plain=[
                "Now at {price}, still in {cart|your cart}.",
                "If you still want {item}, look in {cart|your cart}.",
            ],
            playful=[
                "{cart|Your cart} is getting lonely. {item} too.",
                "{item} keeps peeking out of {cart|your cart}.",
            ],
            premium=["{item} awaits you in {cart|your cart}.", "{attrs}, kept in {cart|your cart}."],
        ),
        emoji=("🛒", "👀"),
    ),
    Strategy.BECAUSE_YOU_VIEWED: Forms(
        titles=patterns(
            every=[
                "You {viewed|looked at} {because}",
                "You might also like {item}",
                "Next to {viewed|what you viewed}: {item}",
                "Since you {viewed|viewed} {because}",
            ],
            plain=["After {because}, {item}", "More like {viewed|what you viewed}"],
            playful=["{because} has a friend", "Fancy meeting {item} here"],
            premium=["A thought after {because}", "{item}, for your next look"],
        ),
        bodies=patterns(
            every=[
                "You {viewed|looked at} {because}. You might like {item} too.",
                "Because you {viewed|viewed} {because}, here is {item}.",
                "You {viewed|viewed} {because}. Here is another one: {attrs}.",
                "{viewed|Seen} {because}? Compare it with {item}.",
            ],
            plain=[
                "You {viewed|viewed} {because}. {item} for {price}, in case you wonder.",
                "You {viewed|viewed} {because}. Now have a look at {item}.",
            ],
            playful=[
                "You {viewed|met} {because}. Now {item} wants a turn.",
                "{because} and {item} should meet. You {viewed|know one already}.",
            ],
            premium=[
                "You {viewed|considered} {because}. Perhaps {item} as well.",
                "{viewed|Having seen} {because}, you may enjoy a look at {item}.",
            ],
        ),
        emoji=("👀", "💡"),
    ),
    Strategy.COMPLEMENT: Forms(
        titles=patterns(
            every=[
                "To go with {because}",
                "A partner for {because}",
                "{item}, to go with {bought|what you bought}",
                "For your {because}",
            ],
            plain=["Goes with {because}", "Pair it: {item}"],
            playful=["{because} could use a friend", "A buddy for {because}"],
            premium=["A companion to {because}", "{item}, as a companion"],
        ),
        bodies=patterns(
            every=[
                "You {bought|bought} {because}. Have a look at {item}.",
                "To go with {because} {bought|you bought}: {item}.",
                "You {bought|have} {because} already. This could join it: {attrs}.",
                "You {bought|bought} {because}. {item} could keep it company.",
            ],
            plain=[
                "You {bought|bought} {because}. {item} for {price} could go with it.",
                "Since you {bought|bought} {because}: {item}.",
            ],
            playful=[
                "{because} asked for company. {item} volunteered.",
                "You {bought|own} {because}. Let {item} say hello.",
            ],
            premium=[
                "You {bought|chose} {because}. {item} may sit well beside it.",
                "For {because}, {bought|which you chose}: {item}.",
            ],
        ),
        emoji=("🧩", "🤝"),
    ),
    Strategy.REPLENISH: Forms(
        titles=patterns(
            every=[
                "Running low on {item}?",
                "{again|Buy again}: {item}",
                "{item}, {again|once more}?",
                "Time for more {item}?",
            ],
            plain=["{again|Reorder} {item}", "{again|You bought} {item}"],
            playful=["Psst, how is {again|your} {item} doing?", "{item} would {again|visit again}"],
            premium=["{item}, {again|again} if you wish", "Once {again|more}: {item}"],
        ),
        bodies=patterns(
            every=[
                "You {again|bought} {item} before. Need some more?",
                "{again|Your last order} of {item} was {n days day days} ago.",
                "You {again|know} {item} already. Now at {price}.",
                "If {again|your} {item} should run out soon, here is more.",
            ],
            plain=[
                "{n days day days} since you {again|bought} {item}. Now at {price}.",
                "{again|Order again} at {price}: {item}.",
            ],
            playful=[
                "{item} is happy to {again|come back} any time.",
                "Check the cupboard: any {item} left?",
            ],
            premium=[
                "{item}, which you {again|chose before}, at {price}.",
                "Should you need {again|more} of {item}, it is here.",
            ],
        ),
        emoji=("🔁", "🧺"),
    ),
    Strategy.NEW_FROM_BRAND: Forms(
        titles=patterns(
            every=[
                "{new|New} from {brand}: {item}",
                "{new|New} from {brand}",
                "{brand}: {new|new in}",
                "{new|Just in} from {brand}",
            ],
            plain=["{brand} {new|added} {item}", "{new|New} by {brand}: {item}"],
            playful=["{brand} has {new|news}", "{brand} {new|dropped something new}"],
            premium=["{brand}, {new|newly arrived}", "{new|Newly in} from {brand}"],
        ),
        bodies=patterns(
            every=[
                "{brand} {new|just added} {item}. Have a look?",
                "{new|New} from {brand}: {attrs}.",
                "{new|New} from {brand}, at {price}: {item}.",
                "{item} {new|arrived} from {brand}.",
                "{item} {new|just arrived}. Have a first look.",
            ],
            plain=[
                "{brand} {new|added} this one: {attrs}, for {price}.",
                "{new|Newly listed} by {brand}: {item}.",
            ],
            playful=[
                "{brand} {new|has a new face}. Meet {item}.",
                "{new|Fresh} from {brand}: {item} says hi.",
            ],
            premium=["{brand} {new|now presents} {item}.", "{new|Newly arrived}: {item}, {attrs}."],
        ),
        emoji=("✨", "🎈"),
    ),
    Strategy.TRENDING: Forms(
        titles=patterns(
            every=[
                "{popular|Trending}: {item}",
                "{popular|Popular} in {topic}: {item}",
                "{item}, {popular|trending now}",
                "No. {rank} in {topic}: {item}",
            ],
            plain=["{popular|Many people} look at {item}", "{popular|Popular}: {item}"],
            playful=["{popular|Everyone's curious} about {item}", "{item} has {popular|a crowd}"],
            premium=["{popular|Noticed by many}: {item}", "{item}, {popular|much noticed}"],
        ),
        bodies=patterns(
            every=[
                "{item} is number {rank} in {topic} right now.",
                "{popular|Many people} have been looking at {item}.",
                "{popular|Popular} in {topic}: {item}.",
                "{attrs}, and {popular|popular} these days.",
            ],
            plain=[
                "{popular|Popular} right now, at {price}: {item}.",
                "Number {rank} in {topic}, at {price}.",
            ],
            playful=[
                "{popular|A small crowd} gathered around {item}. Room for one more.",
                "{popular|The crowd} likes {item}. Do you?",
            ],
            premium=[
                "{popular|Many have noticed} {item}. Perhaps you will too.",
                "{attrs}. {popular|Much noticed of late}.",
            ],
        ),
        emoji=("🔥", "👀"),
    ),
    Strategy.WELL_REVIEWED: Forms(
        titles=patterns(
            every=[
                "{item}, rated {rating}",
                "Rated {rating}: {item}",
                "{rating} out of 5: {item}",
                "Rated {rating} in {n ratings rating ratings}",
            ],
            plain=["{item}: {rating} out of 5", "Rated {rating} by buyers: {item}"],
            playful=["Rated {rating} and blushing: {item}", "Report card: {item}, rated {rating}"],
            premium=["{item}, {rating} of 5", "Rated {rating} of 5: {item}"],
        ),
        bodies=patterns(
            every=[
                "Rated {rating} out of 5 in {n ratings rating ratings}.",
                "{n ratings rating ratings}, {rating} out of 5 on average: {item}.",
                "{attrs}. Rated {rating} out of 5 in {n ratings rating ratings}.",
                "Buyers gave {item} {rating} out of 5.",
            ],
            plain=[
                "Rated {rating} out of 5, at {price}: {item}.",
                "{n ratings rating ratings} and an average of {rating}, for {price}.",
            ],
            playful=[
                "{n ratings person people} rated it {rating} out of 5. Your turn?",
                "The votes are in: {rating} out of 5 from {n ratings rating ratings}.",
            ],
            premium=[
                "{n ratings rating ratings}, {rating} of 5 on average. For {someone}.",
                "{attrs}. {rating} of 5 on average.",
            ],
        ),
        emoji=("⭐", "💬"),
    ),
    Strategy.PREMIUM: Forms(
        titles=patterns(
            every=["{item}, chosen for you", "Chosen for you: {item}", "{item}, with you in mind"],
            plain=["For {someone}", "Picked with you in mind: {item}"],
            playful=["{item} would like a word", "You and {item}?"],
            premium=["{item}, at your leisure", "For your eye: {item}", "May we present {item}"],
        ),
        bodies=patterns(
            every=[
                "{look}, for {someone}.",
                "{attrs}. Chosen for {someone}.",
                "{attrs}. Chosen with you in mind.",
                "{attrs}. See if it is for you.",
            ],
            plain=["For {someone}: {attrs}.", "{a style} choice: {attrs}.", "{attrs}, at {price}."],
            playful=["{look}. We thought of {someone}.", "{attrs}. We would like to hear what you think."],
            premium=[
                "{look}. Take your time.",
                "{attrs}. For {someone}, at leisure.",
                "{attrs}. No hurry.",
                "{attrs}. It speaks for itself.",
            ],
        ),
        emoji=("✨",),
    ),
    Strategy.NEW_ARRIVAL: Forms(
        titles=patterns(
            every=[
                "{new|New in}: {item}",
                "{new|Just in}: {item}",
                "{new|New} in {category}: {item}",
                "{new|Newly arrived}: {item}",
            ],
            plain=["{new|New arrival}: {item}", "{new|Now in the shop}: {item}"],
            playful=["{new|New face}: {item}", "Welcome {new|the new one}: {item}"],
            premium=["{item}, {new|newly arrived}", "{new|Newly presented}: {item}"],
        ),
        bodies=patterns(
            every=[
                "{new|New} in {category}: {item}.",
                "{attrs}, {new|and new in the shop}.",
                "{new|New in the shop} at {price}: {item}.",
                "{item} {new|just arrived}. Have a first look.",
            ],
            plain=["{new|Newly listed}: {attrs}, for {price}.", "We {new|just added} {item} to {category}."],
            playful=["{item} {new|just moved in}. Come and say hi.", "{new|Fresh on the shelf}: {item}."],
            premium=["{item} {new|has newly arrived}.", "{attrs}. {new|Newly in the shop}."],
        ),
        emoji=("✨", "🌱"),
    ),
}

GRAMMAR = Grammar(
    locale="en",
    language="en",
    strategies=_STRATEGIES,
    openers=(
        pattern(""),
        *patterns(
            plain=["Hello.", "A quick note.", "News from the shop."],
            playful=["Psst!", "Hey there!", "Knock knock.", "Hi!"],
            premium=["Good day.", "A note for you."],
        ),
    ),
    calls=(
        pattern(""),
        *patterns(
            every=["Have a look.", "See more."],
            plain=["See the details.", "Take a look inside.", "Open to see it.", "View it now."],
            playful=["Come and peek!", "Tap to say hi.", "Curious? Tap in.", "Go on, take a peek."],
            premium=["Look closer.", "See it in full.", "Take your time.", "At your leisure."],
        ),
    ),
    descriptions=patterns(
        every=[
            "{item}.",
            "By {brand}.",
            "Found in {category}.",
            "In a few words: {attrs}.",
            "Now {price}, was {was}: {saved} less.",
            "Price: {price}.",
            "Rated {rating} out of 5 in {n ratings rating ratings}.",
            "{stock} left in stock.",
        ]
    ),
    safe=(
        (pattern("{item}"), pattern("Have a look at {item}.")),
        (pattern("From {category}"), pattern("We picked something from {category} for you.")),
        (pattern("Something from the shop"), pattern("Open it when you have a moment.")),
    ),
)
