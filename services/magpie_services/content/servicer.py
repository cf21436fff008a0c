"""ContentService over gRPC: checks requests, calls the composer, answers."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import grpc

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie_services.content.card.addresses import CardAddresses
from magpie_services.content.card.cards import MEDIA_TYPE, Cards
from magpie_services.content.compose import Brief, Composer, Composition, Draft
from magpie_services.content.extraction.extractor import Extracted, Extractor
from magpie_services.content.facts.extra import Extra, extra_facts
from magpie_services.content.grammar.packs import resolve
from magpie_services.content.learning.inspection import Inspection
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.content.verifier import Finding, passed
from magpie_services.core.items import Item
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid
from magpie_services.wire import items as wire_items
from magpie_services.wire import messages as wire_messages
from magpie_services.wire import portraits as wire_portraits

Context = grpc.aio.ServicerContext[Any, Any]

MAX_BATCH = 512
MAX_VARIANTS = 16
MAX_EXCLUDED = 64
MAX_PAGE = 1_000
USUAL_PAGE = 100
MAX_FACTS = 16
MAX_TITLE_CHARS = 5_000
MAX_DRAFT_CHARS = 50_000
DECODED_ITEMS = 8_192
# A large batch lets other calls in between whenever it has written as many texts, or read as many.
BREATHE_EVERY = 16

_PARTS = {
    "title": content_pb.MESSAGE_PART_TITLE,
    "body": content_pb.MESSAGE_PART_BODY,
    "description": content_pb.MESSAGE_PART_DESCRIPTION,
}
_TONES = {
    number: Tone(name.removeprefix("TONE_").lower()) for name, number in content_pb.Tone.items() if number
}


class ContentServicer(content_grpc.ContentServiceServicer):
    """Words from facts, and facts for words."""

    def __init__(
        self,
        composer: Composer,
        cards: Cards,
        extractor: Extractor,
        inspection: Inspection,
        clock: Clock,
        default_locale: str,
        card_addresses: CardAddresses | None = None,
    ) -> None:
        """Messages show cards, by their addresses, where those are given, else the item's picture."""
        self._composer = composer
        self._cards = cards
        self._extractor = extractor
        self._inspection = inspection
        self._clock = clock
        self._default_locale = default_locale
        self._card_addresses = card_addresses

    async def ComposeMessages(
        self, request: content_pb.ComposeMessagesRequest, context: Context
    ) -> content_pb.ComposeMessagesResponse:
        """Raises Invalid naming the field of a brief that is faulty in itself."""
        _bounded("briefs", len(request.briefs))
        if not 0 <= request.variants <= MAX_VARIANTS:
            raise Invalid("variants", f"must be between 0 and {MAX_VARIANTS}")
        briefs = [brief_of(brief, f"briefs[{at}]") for at, brief in enumerate(request.briefs)]
        now_ms = self._clock.now_ms()
        breathe_every = max(1, BREATHE_EVERY // max(1, request.variants))
        response = content_pb.ComposeMessagesResponse()
        for at, brief in enumerate(briefs):
            composition = self._composer.compose(
                brief, now_ms, variants=request.variants or 1, with_description=request.with_description
            )
            composed = _composition(composition)
            if self._card_addresses is not None:
                for message in composed.messages:
                    message.image_uri = self._card_addresses.of(brief.item, message.locale)
            response.compositions.append(composed)
            if at % breathe_every == breathe_every - 1:
                await asyncio.sleep(0)
        return response

    async def VerifyMessages(
        self, request: content_pb.VerifyMessagesRequest, context: Context
    ) -> content_pb.VerifyMessagesResponse:
        """Raises Invalid naming the field of a draft that is faulty in itself."""
        _bounded("drafts", len(request.drafts))
        drafts = [_draft(draft, f"drafts[{at}]") for at, draft in enumerate(request.drafts)]
        now_ms = self._clock.now_ms()
        response = content_pb.VerifyMessagesResponse()
        for at, draft in enumerate(drafts):
            findings = self._composer.verify(draft, now_ms)
            response.verdicts.append(
                content_pb.Verdict(passed=passed(findings), findings=map(_finding, findings))
            )
            if at % BREATHE_EVERY == BREATHE_EVERY - 1:
                await asyncio.sleep(0)
        return response

    async def RenderCard(
        self, request: content_pb.RenderCardRequest, context: Context
    ) -> content_pb.RenderCardResponse:
        """Raises Invalid naming the field for another ratio than 2 or 1, and for a faulty item."""
        item = _item(request.item, "item")
        locale = resolve(request.locale or self._default_locale, item.locale) or "en"
        card = await self._cards.render(item, locale, request.aspect_ratio or 2.0)
        return content_pb.RenderCardResponse(
            image=card.image, media_type=MEDIA_TYPE, width=card.width, height=card.height, plain=card.plain
        )

    async def ExtractAttributes(
        self, request: content_pb.ExtractAttributesRequest, context: Context
    ) -> content_pb.ExtractAttributesResponse:
        """Raises Invalid naming the field of an item that is faulty in itself."""
        _bounded("items", len(request.items))
        items = [_item(item, f"items[{at}]") for at, item in enumerate(request.items)]
        response = content_pb.ExtractAttributesResponse()
        for at, item in enumerate(items):
            response.extractions.append(_extraction(item, self._extractor.attributes(item)))
            if at % BREATHE_EVERY == BREATHE_EVERY - 1:
                await asyncio.sleep(0)
        return response

    async def ListVariants(
        self, request: content_pb.ListVariantsRequest, context: Context
    ) -> content_pb.ListVariantsResponse:
        """Raises Invalid naming the field, Unavailable while the counts cannot be read."""
        locale = resolve(request.locale)
        if locale is None:
            raise Invalid("locale", "is required" if not request.locale else "is not a language written here")
        strategy = wire_messages.strategy_name(request.strategy)
        if request.strategy and not strategy:
            raise Invalid("strategy", "is not a known strategy")
        if not 0 <= request.page_size <= MAX_PAGE:
            raise Invalid("page_size", f"must be between 0 and {MAX_PAGE}")
        page = await self._inspection.page(
            locale,
            Strategy(strategy) if strategy else None,
            request.page_size or USUAL_PAGE,
            request.page_token,
        )
        return content_pb.ListVariantsResponse(
            variants=[
                content_pb.VariantStatistics(
                    variant_id=one.variant_id,
                    sent_count=one.sent,
                    clicked_count=one.clicked,
                    refused_count=one.dismissed + one.unsubscribed,
                )
                for one in page.variants
            ],
            weights=[content_pb.VariantWeight(**weight._asdict()) for weight in page.weights],
            next_page_token=page.token,
        )


def _bounded(field: str, size: int) -> None:
    if not 1 <= size <= MAX_BATCH:
        raise Invalid(field, f"must have 1 to {MAX_BATCH} entries")


def brief_of(message: content_pb.Brief, field: str) -> Brief:
    """A brief as the composer takes it. Raises Invalid naming the field below `field` that is faulty."""
    if not message.HasField("portrait"):
        raise Invalid(f"{field}.portrait", "is required")
    strategy = wire_messages.strategy_name(message.strategy)
    if message.strategy and not strategy:
        raise Invalid(f"{field}.strategy", "is not a known strategy")
    if message.tone and message.tone not in _TONES:
        raise Invalid(f"{field}.tone", "is not a known tone")
    if len(message.excluded_variant_ids) > MAX_EXCLUDED:
        raise Invalid(f"{field}.excluded_variant_ids", f"has more than {MAX_EXCLUDED} entries")
    item = _item(message.item, f"{field}.item")
    because = (
        _item(message.because_item, f"{field}.because_item") if message.HasField("because_item") else None
    )
    about = [item.item_id] if because is None else [item.item_id, because.item_id]
    return Brief(
        item=item,
        portrait=wire_portraits.glimpse(message.portrait, about, f"{field}.portrait"),
        strategy=Strategy(strategy) if strategy else None,
        tone=_TONES.get(message.tone),
        locale=message.locale,
        channel=wire_messages.channel_name(message.channel),
        because=because,
        excluded=tuple(message.excluded_variant_ids),
        seed=message.seed,
        extra=_extra(message.facts, f"{field}.facts"),
    )


def _draft(message: content_pb.Draft, field: str) -> Draft:
    for part, text in (
        ("title", message.title),
        ("body", message.body),
        ("description", message.description),
    ):
        if len(text) > MAX_DRAFT_CHARS:
            raise Invalid(f"{field}.{part}", f"has more than {MAX_DRAFT_CHARS} characters")
    if not (message.title or message.body or message.description):
        raise Invalid(f"{field}.title", "is required where body and description are empty")
    strategy = wire_messages.strategy_name(message.strategy)
    if message.strategy and not strategy:
        raise Invalid(f"{field}.strategy", "is not a known strategy")
    return Draft(
        title=message.title,
        body=message.body,
        description=message.description,
        item=_item(message.item, f"{field}.item"),
        because=_item(message.because_item, f"{field}.because_item")
        if message.HasField("because_item")
        else None,
        channel=wire_messages.channel_name(message.channel),
        traits=list(message.traits),
        extra=_extra(message.facts, f"{field}.facts"),
        strategy=Strategy(strategy) if strategy else None,
    )


def _item(message: item_pb.Item, field: str) -> Item:
    if not message.item_id:
        raise Invalid(f"{field}.item_id", "is required")
    if not message.text.title.strip():
        raise Invalid(f"{field}.text.title", "is required")
    if len(message.text.title) > MAX_TITLE_CHARS:
        raise Invalid(f"{field}.text.title", f"has more than {MAX_TITLE_CHARS} characters")
    return _decoded(message.SerializeToString(deterministic=True))


@lru_cache(maxsize=DECODED_ITEMS)
def _decoded(blob: bytes) -> Item:
    """An item read once, however many users it is written about for: reading costs as much as writing."""
    return wire_items.item_from_proto(item_pb.Item.FromString(blob))


def _extra(raw: Mapping[str, str], field: str) -> Extra:
    if len(raw) > MAX_FACTS:
        raise Invalid(field, f"has more than {MAX_FACTS} entries")
    try:
        return extra_facts(raw)
    except ValueError as error:
        key, problem = error.args
        raise Invalid(f"{field}[{key}]", problem) from None


def _composition(composition: Composition) -> content_pb.Composition:
    return content_pb.Composition(
        messages=map(wire_messages.copy_to_proto, composition.messages),
        eligible_strategies=[
            wire_messages.strategy_number(strategy.value) for strategy in composition.eligible
        ],
    )


def _finding(finding: Finding) -> content_pb.Finding:
    return content_pb.Finding(
        severity=content_pb.Severity.ValueType(finding.severity),
        check=finding.check,
        part=_PARTS.get(finding.part, content_pb.MESSAGE_PART_UNSPECIFIED),
        start=finding.start,
        end=finding.end,
        reason=finding.reason,
    )


def _extraction(item: Item, found: list[Extracted]) -> content_pb.Extraction:
    return content_pb.Extraction(
        item_id=item.item_id,
        attributes=[
            content_pb.ExtractedAttribute(
                name=one.name,
                value=one.value,
                field=one.field,
                start=one.start,
                end=one.end,
                confidence=one.confidence,
            )
            for one in found
        ],
    )
