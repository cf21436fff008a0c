"""`python -m magpie_services.content`: wires the content service and serves it."""

import time
from pathlib import Path

import grpc

from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie_services.content.card.addresses import CardAddresses
from magpie_services.content.card.cards import Cards
from magpie_services.content.card.drawing import Style
from magpie_services.content.card.folder import Folder
from magpie_services.content.card.palette import Colour
from magpie_services.content.card.pictures import Pictures
from magpie_services.content.card.web import Web
from magpie_services.content.card.web_server import CardServer
from magpie_services.content.catalogue import Catalogue
from magpie_services.content.compose import Composer
from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.extraction.learner import Learner
from magpie_services.content.learning.feed import Feed
from magpie_services.content.learning.inspection import Inspection
from magpie_services.content.learning.record import Lake
from magpie_services.content.learning.redis_store import RedisStore
from magpie_services.content.learning.thompson import ThompsonChooser
from magpie_services.content.model.author import Author
from magpie_services.content.model.budget import Budget, Prices
from magpie_services.content.model.endpoint import Endpoint
from magpie_services.content.model.pool import Pool
from magpie_services.content.model.shelf import Shelf
from magpie_services.content.servicer import ContentServicer
from magpie_services.content.settings import ContentSettings
from magpie_services.content.verifier import presentable
from magpie_services.content.warming import warm_up
from magpie_services.kit import serving
from magpie_services.kit.clock import Clock, SystemClock, clock_for
from magpie_services.kit.errors import CannotStart
from magpie_services.kit.redis import Redis, connect


async def main(settings: ContentSettings) -> None:
    """Serve until told to stop."""
    clock = clock_for(settings.sandbox)
    extractor = Extractor()
    redis = connect(settings.redis_url)
    chooser = ThompsonChooser(floor=settings.exploration)
    pool = Pool(SystemClock()) if settings.model_url else None
    composer = Composer(
        settings.default_locale,
        settings.cached_items,
        pack=settings.pack,
        chooser=chooser,
        extractor=extractor.spoken,
        pool=pool,
    )
    feed = Feed(
        redis,
        Lake(settings.lake_folder) if settings.lake_folder else None,
        clock,
        chooser.learn,
        lesson_seconds=settings.lesson_seconds,
        lease_seconds=settings.lesson_lease_seconds,
    )
    cards, closers = _cards(settings, extractor)
    addresses = _addresses(settings)
    # The loops that are spare: words can be written without what they bring.
    background: list[serving.Loop] = [serving.spare(feed.count), serving.spare(feed.follow)]
    if pool is not None:
        endpoint = _endpoint(settings, redis)
        background.append(serving.spare(_author(settings, composer, pool, endpoint, redis, clock).run))
        closers.append(endpoint.close)
    closers.append(redis.aclose)
    if settings.candidate_address:
        catalogue = Catalogue(settings.candidate_address, settings.candidate_timeout_seconds)
        learner = Learner(
            extractor, catalogue, settings.lexicon_items, settings.lexicon_seconds, composer.forget
        )
        background.append(serving.spare(learner.run))
        closers.append(catalogue.close)
        if settings.card_listen and addresses is not None:
            background.append(CardServer(settings.card_listen, addresses, catalogue.item, cards).run)
    servicer = ContentServicer(
        composer,
        cards,
        extractor,
        Inspection(RedisStore(redis).totals, lambda: chooser.lesson),
        clock,
        settings.default_locale,
        addresses if settings.card_url else None,
    )

    def register(server: grpc.aio.Server) -> None:
        content_grpc.add_ContentServiceServicer_to_server(servicer, server)

    # Before it listens: whoever calls has less patience than the grammars take to load.
    warm_up(composer, clock.now_ms())
    await serving.serve(settings, register, clock=clock, background=background, closers=closers)


def _endpoint(settings: ContentSettings, redis: Redis) -> Endpoint:
    """What asks the language model, within its budget."""
    if not settings.model_name:
        raise CannotStart("MAGPIE_CONTENT_MODEL_NAME: is needed with MAGPIE_CONTENT_MODEL_URL")
    budget = Budget(
        redis,
        SystemClock(),  # money is spent in real time, in a sandbox too
        daily_tokens=settings.model_daily_tokens,
        daily_money=settings.model_daily_money,
        prices=Prices(settings.model_input_price, settings.model_output_price),
    )
    try:
        return Endpoint(
            settings.model_url,
            settings.model_name,
            settings.model_key.get_secret_value(),
            budget,
            seconds=settings.model_seconds,
            output_tokens=settings.model_output_tokens,
            output_field=settings.model_output_field,
        )
    except ValueError as error:
        raise CannotStart(f"MAGPIE_CONTENT_MODEL_URL: {error}") from None


def _author(
    settings: ContentSettings,
    composer: Composer,
    pool: Pool,
    endpoint: Endpoint,
    redis: Redis,
    clock: Clock,
) -> Author:
    """What fills the pool of texts."""
    return Author(
        composer,
        pool,
        Shelf(redis, SystemClock(), entries=settings.model_pool_size),
        endpoint,
        clock,
        kept_seconds=settings.model_pool_days * 86_400,
        pause_seconds=settings.model_pause_seconds,
    )


def _addresses(settings: ContentSettings) -> CardAddresses | None:
    """What names cards, None where neither pushes nor phones ask for that."""
    if not (settings.card_url or settings.card_listen):
        return None
    if settings.card_listen and not settings.candidate_address:
        raise CannotStart("MAGPIE_CONTENT_CARD_LISTEN: needs MAGPIE_CONTENT_CANDIDATE_ADDRESS")
    try:
        return CardAddresses(settings.card_url, settings.card_secret.get_secret_value().encode())
    except ValueError as error:
        raise CannotStart(f"MAGPIE_CONTENT_CARD_SECRET: {error}") from None


def _cards(settings: ContentSettings, extractor: Extractor) -> tuple[Cards, list[serving.Closer]]:
    """What draws cards, and what to close at the end."""
    limit, hosts = settings.card_picture_bytes, settings.card_hosts.split(",")
    folder = Folder(Path(settings.card_folder), limit) if settings.card_folder else None
    web = Web(hosts, limit, settings.card_fetch_seconds) if settings.card_hosts else None
    pictures = Pictures(folder, web, settings.card_cache_bytes, time.monotonic)
    style = Style(Colour.parse(settings.card_brand_colour), Colour.parse(settings.card_accent_colour))
    cards = Cards(pictures, style, settings.card_cache_bytes, presentable, extractor.words)
    return cards, [cards.close, *([web.close] if web else [])]


if __name__ == "__main__":
    serving.run("content", ContentSettings, main)
