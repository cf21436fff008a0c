"""Requests of PushService read into our own words. Raises Invalid naming every field that is wrong."""

import math
from collections.abc import Sequence

import msgspec

from magpie.v1 import campaign_service_pb2 as campaign_pb
from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import push_service_pb2 as push_pb
from magpie_services.core import checks
from magpie_services.core.checks import Violation
from magpie_services.core.untrusted import safe_image, safe_link
from magpie_services.kit.errors import Invalid
from magpie_services.push.campaigns import Spec
from magpie_services.push.case import Target
from magpie_services.push.policy import Filter, Objective, Policy
from magpie_services.push.replay import Span
from magpie_services.wire import messages, values

MAX_TARGETS = 256
MAX_FILTER_IDS = 1_000
MAX_FILTER_NAMES = 256
MAX_CANDIDATES = 500
MAX_TEXT_CHARS = 4_096
MAX_EXPIRY_SECONDS = 30 * 86_400.0
MAX_REPLAYED = 100_000
DEFAULT_REPLAYED = 10_000
MAX_PRIORITY = 100
MAX_PAGE = 200
DEFAULT_PAGE = 50


def targets_of(messages_: Sequence[push_pb.Target]) -> list[Target]:
    """The targets: 1 to 256, no user twice."""
    found: list[Violation] = []
    if not 1 <= len(messages_) <= MAX_TARGETS:
        raise Invalid("targets", f"must be 1 to {MAX_TARGETS}, not {len(messages_)}")
    seen: set[str] = set()
    targets = []
    for number, message in enumerate(messages_):
        field = f"targets[{number}]"
        found += checks.identifier(f"{field}.user_id", message.user_id)
        found += checks.identifier(f"{field}.item_id", message.item_id, required=False)
        if message.user_id in seen:
            found.append(Violation(f"{field}.user_id", "is there twice"))
        seen.add(message.user_id)
        copy = None
        if message.HasField("message"):
            copy = messages.copy_from_proto(message.message)
            if not message.item_id:
                found.append(Violation(f"{field}.item_id", "is required with a message"))
            if not copy.title.strip() and not copy.body.strip():
                found.append(Violation(f"{field}.message.title", "is required when the body is empty"))
            for part in ("title", "body", "description", "link", "image_uri"):
                found += checks.text(f"{field}.message.{part}", getattr(copy, part), MAX_TEXT_CHARS)
            if copy.link and not safe_link(copy.link):
                reason = "is neither an https or http address nor a link of an app's own scheme"
                found.append(Violation(f"{field}.message.link", reason))
            if copy.image_uri and not safe_image(copy.image_uri):
                reason = "is neither an https address nor a path below the picture folder"
                found.append(Violation(f"{field}.message.image_uri", reason))
        targets.append(Target(user_id=message.user_id, item_id=message.item_id, copy=copy))
    _refuse(found)
    return targets


def policy_of(message: push_pb.Policy, default: Policy, field: str = "policy") -> Policy:
    """The policy, unset fields taken from `default`."""
    found: list[Violation] = []
    changes: dict[str, object] = {
        "objective": _objective(message.objective, default.objective, f"{field}.objective", found),
        "filter": _filter(message.filter, f"{field}.filter", found),
        "transactional": message.message_class == push_pb.MESSAGE_CLASS_TRANSACTIONAL,
        "drop_in_quiet_hours": message.drop_in_quiet_hours,
        "strategy": messages.strategy_name(message.strategy),
    }
    for share in ("exploration", "no_send_share"):
        if message.HasField(share):
            changes[share] = getattr(message, share)
            found += checks.within(f"{field}.{share}", getattr(message, share), 0, 1)
    for count, most in (("candidate_limit", MAX_CANDIDATES), ("logged_best", 100), ("logged_rest", 100)):
        number = getattr(message, count)
        found += checks.within(f"{field}.{count}", number, 0, most)
        if number:
            changes[count] = number
    if message.HasField("expiry"):
        changes["expiry_seconds"] = seconds = values.seconds(message.expiry)
        found += checks.within(f"{field}.expiry", seconds, 1, MAX_EXPIRY_SECONDS)
    policy = msgspec.structs.replace(default, **changes)
    if not found and policy.exploration + policy.no_send_share > 1:
        found.append(Violation(f"{field}.exploration", "exceeds 1 together with no_send_share"))
    _refuse(found)
    return policy


def request_id_of(text: str, *, required: bool) -> str:
    """A request id of at most 128 characters."""
    _refuse(checks.identifier("request_id", text, required=required))
    return text


def replay_span_of(request: push_pb.ReplayDecisionsRequest) -> Span:
    """Which decisions to replay. Only the logged scores are served: `ranker_version` must be 0."""
    found: list[Violation] = []
    if not request.HasField("policy"):
        found.append(Violation("policy", "is required"))
    if request.ranker_version:
        found.append(
            Violation(
                "ranker_version", "scoring logged arms again is not served yet; 0 keeps the logged scores"
            )
        )
    if request.policy.filter.ByteSize():
        reason = "cannot be replayed: the log has no facts of items; leave it empty"
        found.append(Violation("policy.filter", reason))
    found += checks.within("limit", request.limit, 0, MAX_REPLAYED)
    start_ms, end_ms = values.milliseconds(request.start_time), values.milliseconds(request.end_time)
    if end_ms and end_ms <= start_ms:
        found.append(Violation("end_time", "is not after start_time"))
    _refuse(found)
    return Span(start_ms, end_ms, request.limit or DEFAULT_REPLAYED)


def spec_of(message: campaign_pb.CampaignSpec, campaign_id: str, default: Policy, now_ms: int) -> Spec:
    """A campaign to create; its audience is checked by who answers it."""
    found: list[Violation] = []
    if not message.name.strip():
        found.append(Violation("spec.name", "is required"))
    found += checks.text("spec.name", message.name, checks.MAX_ID_CHARS)
    start_ms, end_ms = values.milliseconds(message.start_time), values.milliseconds(message.end_time)
    if end_ms and end_ms <= max(start_ms, now_ms):
        found.append(Violation("spec.end_time", "is not after the start"))
    if message.budget < 0:
        found.append(Violation("spec.budget", "is negative"))
    found += checks.within("spec.priority", message.priority, -MAX_PRIORITY, MAX_PRIORITY)
    _refuse(found)
    return Spec(
        campaign_id=campaign_id,
        message=message.SerializeToString(),
        policy=policy_of(message.policy, default, "spec.policy"),
        audience=message.audience.SerializeToString(),
        start_ms=start_ms,
        end_ms=end_ms,
        budget=message.budget,
        priority=message.priority,
        shadow=message.shadow,
        created_ms=now_ms,
    )


def page_of(size: int, token: str) -> tuple[int, int]:
    """Start and size of a page of campaigns."""
    _refuse(checks.within("page_size", size, 0, MAX_PAGE))
    if token and not (token.isascii() and token.isdigit() and len(token) <= 9):
        raise Invalid("page_token", "is not a token of this list")
    return int(token or 0), size or DEFAULT_PAGE


def identifier_of(field: str, text: str, *, required: bool = True) -> str:
    """An id of 1 to 128 printable characters."""
    _refuse(checks.identifier(field, text, required=required))
    return text


def _objective(
    message: push_pb.Objective, default: Objective, field: str, found: list[Violation]
) -> Objective:
    if not message.ByteSize():
        return default
    for name in ("click", "purchase", "min_value"):
        if not math.isfinite(getattr(message, name)):
            found.append(Violation(f"{field}.{name}", "must be a number"))
    found += checks.within(f"{field}.margin", message.margin, 0, 1)
    for name in ("dismiss", "unsubscribe"):
        if not 0 <= getattr(message, name) < math.inf:
            found.append(Violation(f"{field}.{name}", "is a cost: a positive number"))
    return Objective(
        click=message.click,
        purchase=message.purchase,
        dismiss=message.dismiss,
        unsubscribe=message.unsubscribe,
        min_value=message.min_value,
        margin=message.margin,
    )


def _filter(message: candidate_pb.CatalogFilter, field: str, found: list[Violation]) -> Filter:
    limits = {
        "item_ids": MAX_FILTER_IDS,
        "excluded_item_ids": MAX_FILTER_IDS,
        "categories": MAX_FILTER_NAMES,
        "brands": MAX_FILTER_NAMES,
        "vendors": MAX_FILTER_NAMES,
    }
    lists: dict[str, tuple[str, ...]] = {}
    for name, most in limits.items():
        lists[name] = tuple(getattr(message, name))
        if len(lists[name]) > most:
            found.append(Violation(f"{field}.{name}", f"has more than {most} entries"))
    found += checks.within(f"{field}.min_discount", message.min_discount, 0, 1)
    return Filter(min_discount=message.min_discount, **lists)


def _refuse(found: Sequence[Violation]) -> None:
    if found:
        raise Invalid.many((violation.field, violation.reason) for violation in found)
