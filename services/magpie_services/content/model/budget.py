"""What the language model may cost a day: tokens and money, one account in Redis for all processes."""

import math
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from magpie_services.kit.clock import Clock
from magpie_services.kit.redis import Redis, Script, items_key, store_errors

MICROS = 1_000_000
_KEPT_SECONDS = 3 * 86_400

# KEYS: the account (fields tokens, micros), the holds (call -> "tokens micros"). A hold counts as spent until
# it is settled: a process that dies in between has spent it. Sent twice, either script has one effect.
_HOLD = Script("""
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 1 end
local tokens = tonumber(redis.call('HGET', KEYS[1], 'tokens') or '0') + tonumber(ARGV[2])
local micros = tonumber(redis.call('HGET', KEYS[1], 'micros') or '0') + tonumber(ARGV[3])
if tokens > tonumber(ARGV[4]) or (tonumber(ARGV[5]) > 0 and micros > tonumber(ARGV[5])) then return 0 end
redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'micros', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return 1
""")
_SETTLE = Script("""
local held = redis.call('HGET', KEYS[2], ARGV[1])
if not held then return 0 end
local tokens, micros = string.match(held, '^(%d+) (%d+)$')
redis.call('HINCRBY', KEYS[1], 'tokens', tonumber(ARGV[2]) - tonumber(tokens))
redis.call('HINCRBY', KEYS[1], 'micros', tonumber(ARGV[3]) - tonumber(micros))
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
""")


class Usage(NamedTuple):
    """Tokens of one call."""

    input: int
    output: int

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.input + self.output


NOTHING = Usage(0, 0)


class Prices(NamedTuple):
    """Of a million tokens, in the currency of the budget."""

    input: float = 0.0
    output: float = 0.0

    def micros(self, usage: Usage) -> int:
        """What a call costs, in millionths, rounded up."""
        return math.ceil(usage.input * self.input + usage.output * self.output)


FREE = Prices()


class Hold(NamedTuple):
    """Tokens and money set aside for one call, on one day's account."""

    call: str
    day: str
    most: Usage


class Spent(NamedTuple):
    """What a day has cost, with what is set aside now."""

    tokens: int
    micros: int


class Budget:
    """At most `daily_tokens` and, where it is above 0, `daily_money` a day of UTC.

    Every method raises Unavailable while the store is away: then nothing may be spent.
    """

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        *,
        daily_tokens: int,
        daily_money: float = 0.0,
        prices: Prices = FREE,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._daily_tokens = daily_tokens
        self._daily_micros = math.floor(daily_money * MICROS)
        self._prices = prices

    async def hold(self, most: Usage) -> Hold | None:
        """Sets aside the most that a call can cost; None where that is more than is left today."""
        found = Hold(secrets.token_hex(8), self._today(), most)
        limits = (self._daily_tokens, self._daily_micros, _KEPT_SECONDS)
        with store_errors():
            held = await _HOLD(
                self._redis,
                keys=_keys(found.day),
                args=[found.call, most.tokens, self._prices.micros(most), *limits],
            )
        return found if held else None

    async def settle(self, hold: Hold, used: Usage) -> int:
        """Books what the call used in place of what was set aside. Its price in millionths."""
        micros = self._prices.micros(used)
        with store_errors():
            await _SETTLE(self._redis, keys=_keys(hold.day), args=[hold.call, used.tokens, micros])
        return micros

    async def spent(self) -> Spent:
        """Today."""
        with store_errors():
            tokens, micros = await self._redis.hmget(_keys(self._today())[0], ["tokens", "micros"])
        return Spent(int(tokens or 0), int(micros or 0))

    def _today(self) -> str:
        return datetime.fromtimestamp(self._clock.now_ms() / 1_000, UTC).date().isoformat()


def _keys(day: str) -> list[str]:
    return [items_key(f"model:spent:{day}"), items_key(f"model:held:{day}")]
