"""Runs every claim about words against a real content service, and prints the figures."""

import argparse
import asyncio
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import harness

from copywriting import corruptions, diversity, extremes, ordinary, situations
from copywriting.situations import Shop
from magpie import Magpie
from magpie.v1 import content_service_pb2 as content_pb
from magpie_cli.suite import Suite, SuiteOptions

BATCH = 512
KEPT = 2_000  # pairs of each set that later claims are measured on
SAMPLE = 1_000
SPEED_BATCHES = 24
FORMS_ITEMS = 10
FORMS_USERS = 100
LARGE_ENOUGH = (content_pb.SEVERITY_NEEDS_EVIDENCE, content_pb.SEVERITY_BLOCK)

Thing = TypeVar("Thing")
Pair = tuple[content_pb.Brief, content_pb.Message]


@dataclass
class Tally:
    """What was seen of one set of pushes, say the real log in English."""

    name: str
    locale: str
    pushes: int = 0
    safe: int = 0
    unsupported: int = 0
    strategies: Counter[str] = field(default_factory=Counter)
    kept: list[Pair] = field(default_factory=list)


async def _figures(magpie: Magpie, pid: int, options: argparse.Namespace) -> dict[str, float]:
    now_ms = int(time.time() * 1000)
    shares = (
        [("zh-CN", 0.35), ("zh-TW", 0.1), ("en", 0.2)]
        if options.data
        else [("zh-CN", 0.5), ("zh-TW", 0.2), ("en", 0.3)]
    )
    plan = [(situations.marketplace(locale, now_ms), locale, share) for locale, share in shares]
    if options.data:
        harness.say("reading the real log")
        plan += [
            (situations.real_log(options.data, "en", now_ms), "en", 0.3),
            (situations.real_log(options.data, "zh-CN", now_ms), "zh-CN", 0.05),
        ]
    tallies = []
    for shop, locale, share in plan:
        tallies.append(await _written(magpie, shop, locale, round(options.pushes * share), options.seed))
        tally = tallies[-1]
        harness.say(
            f"{tally.name}, {locale}: {tally.pushes} pushes, {tally.unsupported} unsupported, "
            f"{tally.safe} safe templates; {dict(tally.strategies.most_common())}"
        )
    figures: dict[str, float] = {
        "pushes": sum(tally.pushes for tally in tallies),
        "unsupported_claims": sum(tally.unsupported for tally in tallies),
        "safe_templates": sum(tally.safe for tally in tallies),
    }
    pairs = [pair for tally in tallies for pair in tally.kept[:KEPT]]
    seeds = range(options.seed, options.seed + options.seeds)
    caught = [await _caught(magpie, pairs, options, seed) for seed in seeds]
    alarms = [await _false_alarms(magpie, pairs, options, seed) for seed in seeds]
    figures |= {
        "corrupted": options.corrupted,
        "caught": min(caught),
        "caught_mean": sum(caught) / len(caught),
    }
    figures |= {"clean": options.corrupted, "false_alarms": max(alarms)}
    figures |= await _limits(magpie, options.seed)
    figures |= _diversity(tallies)
    figures |= await _forms(magpie, plan[0][0], plan[0][1], options.seed)
    figures |= await _speed(magpie, pid, plan[0][0], plan[0][1])
    return figures


async def _written(magpie: Magpie, shop: Shop, locale: str, count: int, seed: int) -> Tally:
    """Composes pushes and has each verified as if a stranger had written it."""
    tally = Tally(shop.name, locale)
    for batch in _batches(shop.briefs(count, locale, seed)):
        messages = await _compose(magpie, batch)
        pairs = list(zip(batch, messages, strict=True))
        drafts = [corruptions.draft(brief, message, message.title, message.body) for brief, message in pairs]
        for (brief, message), verdict in zip(pairs, await _verify(magpie, drafts), strict=True):
            tally.pushes += 1
            tally.safe += message.safe_template
            tally.strategies[
                content_pb.Strategy.Name(message.strategy).removeprefix("STRATEGY_").lower()
            ] += 1
            bad = [finding for finding in verdict.findings if finding.severity in LARGE_ENOUGH]
            tally.unsupported += bool(bad)
            if bad and tally.unsupported <= 5:
                harness.say(
                    f"unsupported: {message.title} | {message.body} | {brief.item.text.title} | {bad}"
                )
            if len(tally.kept) < max(KEPT, SAMPLE) and not message.safe_template:
                tally.kept.append((brief, message))
    return tally


async def _caught(magpie: Magpie, pairs: Sequence[Pair], options: argparse.Namespace, seed: int) -> float:
    """The share of a seed's lies that are found."""
    lies = corruptions.corrupted(pairs, options.corrupted, seed)
    seen: dict[str, list[bool]] = defaultdict(list)
    missed: dict[str, list[str]] = defaultdict(list)
    for batch in _batches(lies):
        for lie, verdict in zip(batch, await _verify(magpie, [lie.draft for lie in batch]), strict=True):
            found = any(
                finding.severity in LARGE_ENOUGH and finding.check != "too_long"
                for finding in verdict.findings
            )
            seen[lie.kind].append(found)
            if not found:
                missed[lie.kind].append(f"{lie.draft.title} | {lie.draft.body}")
    for kind, verdicts in seen.items():
        harness.say(f"seed {seed}, caught {kind}: {sum(verdicts)} of {len(verdicts)}")
        for text in missed[kind][: options.show]:
            harness.say(f"  missed: {text}")
    return sum(map(sum, seen.values())) / sum(map(len, seen.values()))


async def _false_alarms(
    magpie: Magpie, pairs: Sequence[Pair], options: argparse.Namespace, seed: int
) -> float:
    """The share of a seed's true texts that something is found in."""
    drafts = list(ordinary.clean(pairs, options.corrupted, seed))
    alarms, shown = 0, 0
    for batch in _batches(drafts):
        for draft, verdict in zip(batch, await _verify(magpie, batch), strict=True):
            bad = [
                one for one in verdict.findings if one.severity in LARGE_ENOUGH and one.check != "too_long"
            ]
            alarms += bool(bad)
            if bad and shown < options.show * 5:
                shown += 1
                harness.say(
                    f"false alarm: {draft.title} | {draft.body} | {[(one.check, one.reason) for one in bad]}"
                )
    return alarms / len(drafts)


async def _limits(magpie: Magpie, seed: int) -> dict[str, float]:
    kept = total = 0
    for batch in _batches(extremes.briefs(seed)):
        for brief, message in zip(batch, await _compose(magpie, batch), strict=True):
            total += 1
            within = extremes.within(brief, message)
            kept += within
            if not within and total - kept <= 3:
                harness.say(f"out of bounds: {message.title!r} | {message.body!r}")
    return {"extremes": total, "within_limits": kept / total}


def _diversity(tallies: Sequence[Tally]) -> dict[str, float]:
    """The worst of all sets: the least distinct, the most alike."""
    figures: dict[str, float] = {}
    for tally in tallies:
        texts = [diversity.tokens(f"{message.title}\n{message.body}") for _, message in tally.kept[:SAMPLE]]
        name = f"{tally.name.replace(' ', '_')}_{tally.locale.replace('-', '_').lower()}"
        figures[f"distinct2_{name}"] = round(diversity.distinct(texts, 2), 4)
        figures[f"self_bleu4_{name}"] = round(diversity.self_bleu(texts, 4), 4)
    worst = {
        "distinct2": min(value for name, value in figures.items() if name.startswith("distinct2")),
        "self_bleu4": max(value for name, value in figures.items() if name.startswith("self_bleu4")),
    }
    return worst | figures


async def _forms(magpie: Magpie, shop: Shop, locale: str, seed: int) -> dict[str, float]:
    """Different texts of one item over a hundred users: the mean of ten items, and the least."""
    found = []
    users = list(islice(shop.briefs(FORMS_USERS, locale, seed + 1), FORMS_USERS))
    for item in list(shop.items.values())[:FORMS_ITEMS]:
        briefs = []
        for user in users:
            brief = content_pb.Brief()
            brief.CopyFrom(user)
            brief.item.CopyFrom(item)
            briefs.append(brief)
        messages = await _compose(magpie, briefs)
        found.append(len({(message.title, message.body) for message in messages}))
    return {"forms_100_users": min(found), "forms_100_users_mean": sum(found) / len(found)}


async def _speed(magpie: Magpie, pid: int, shop: Shop, locale: str) -> dict[str, float]:
    """Messages a second, verified, by a service that may use one core; this process has the other."""
    cores = sorted(os.sched_getaffinity(0))
    batches = list(_batches(shop.briefs(SPEED_BATCHES * BATCH, locale, 99)))
    await _compose(magpie, batches[0])
    _pin(pid, cores[:1])
    _pin(os.getpid(), cores[1:] or cores)
    queue = iter(batches)
    used, started = harness.cpu_seconds(pid), time.perf_counter()

    async def worker() -> None:
        for batch in queue:
            await _compose(magpie, batch)

    await asyncio.gather(worker(), worker())
    seconds = time.perf_counter() - started
    count = len(batches) * BATCH
    return {
        "messages_per_s": round(count / seconds, 1),
        "cpu_us_a_message": round((harness.cpu_seconds(pid) - used) / count * 1e6, 1),
    }


def _pin(pid: int, cores: Sequence[int]) -> None:
    """Keeps every thread of a process to some cores."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


async def _compose(magpie: Magpie, briefs: Sequence[content_pb.Brief]) -> list[content_pb.Message]:
    request = content_pb.ComposeMessagesRequest(briefs=briefs)
    answer = await magpie.content.ComposeMessages(request)
    return [composition.messages[0] for composition in answer.compositions]


async def _verify(magpie: Magpie, drafts: Sequence[content_pb.Draft]) -> Sequence[content_pb.Verdict]:
    answer = await magpie.content.VerifyMessages(content_pb.VerifyMessagesRequest(drafts=drafts))
    return answer.verdicts


def _batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    left = iter(things)
    while batch := list(islice(left, BATCH)):
        yield batch


async def _run(options: argparse.Namespace) -> dict[str, float]:
    with TemporaryDirectory(prefix="magpie-benchmark-") as folder:
        harness.say("starting the content service")
        suite_options = SuiteOptions(state=Path(folder), auto_ports=True, rooms=frozenset({"content"}))
        async with Suite(suite_options) as suite, Magpie(suite.endpoints, timeout_seconds=60) as magpie:
            return await _figures(magpie, suite.pids()["content"], options)


def main() -> None:
    """Parses options, measures, reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="online_retail.csv.gz: adds the real log's catalogue")
    parser.add_argument("--pushes", type=int, default=100_000)
    parser.add_argument(
        "--corrupted", type=int, default=2_000, help="corrupted texts, and as many clean ones"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--seeds", type=int, default=3, help="how many corpora; the worst of them is reported"
    )
    parser.add_argument("--show", type=int, default=2, help="examples of each kind missed")
    options = parser.parse_args()
    figures = asyncio.run(_run(options))
    harness.report("copy", figures, {"seed": options.seed, "data": bool(options.data)})
