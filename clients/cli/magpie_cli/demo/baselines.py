"""Four simple policies to beat, computed from the same lines on the same customers. Pure."""

from collections import Counter, deque
from collections.abc import Sequence

DAY_MS = 86_400_000
POPULAR_MS = 7 * DAY_MS
RECENT_ITEMS = 20
COMMON_ITEMS = 50  # co-bought items kept an item
NAMES = ("popular", "last item", "most frequent", "co-visitation")


class History:
    """What was bought so far. `observe` takes purchases in order of time; answers are about the past only."""

    def __init__(self) -> None:
        self._customers: dict[str, _Customer] = {}
        self._recent_sales: deque[tuple[int, str, str]] = deque()
        self._invoices: dict[str, list[str]] = {}
        self._invoices_of: dict[str, list[str]] = {}
        self._together: dict[str, list[tuple[str, float]]] = {}

    def observe(self, user_id: str, item_id: str, invoice: str, at_ms: int) -> None:
        """One purchase."""
        self._customers.setdefault(user_id, _Customer()).observe(item_id, invoice)
        self._recent_sales.append((at_ms, user_id, item_id))
        items = self._invoices.setdefault(invoice, [])
        if item_id not in items:
            items.append(item_id)
            self._invoices_of.setdefault(item_id, []).append(invoice)

    def customers(self) -> list[str]:
        """Everybody who has bought something, in order of their first purchase."""
        return list(self._customers)

    def has_bought(self, user_id: str, item_id: str) -> bool:
        """Whether the customer has bought the item before."""
        customer = self._customers.get(user_id)
        return customer is not None and item_id in customer.invoices_of

    def choices(self, now_ms: int, users: Sequence[str]) -> dict[str, dict[str, str]]:
        """By baseline and customer the one item that it would push at `now_ms`; "" where it has none."""
        self._together.clear()
        popular = self._popular(now_ms)
        people = {user_id: self._customers[user_id] for user_id in users}
        return {
            "popular": dict.fromkeys(people, popular),
            "last item": {user_id: person.recent[-1] for user_id, person in people.items()},
            "most frequent": {user_id: person.most_frequent() for user_id, person in people.items()},
            "co-visitation": {
                user_id: self._co_bought(list(person.recent)) or popular for user_id, person in people.items()
            },
        }

    def _popular(self, now_ms: int) -> str:
        """The item that most customers bought in the last seven days."""
        while self._recent_sales and self._recent_sales[0][0] < now_ms - POPULAR_MS:
            self._recent_sales.popleft()
        pairs = {(user_id, item_id) for _, user_id, item_id in self._recent_sales}
        counts = Counter(item_id for _, item_id in sorted(pairs))
        return _best(counts)

    def _co_bought(self, recent: Sequence[str]) -> str:
        scores: Counter[str] = Counter()
        for item_id in recent:
            for other, score in self._neighbours(item_id):
                scores[other] += score  # type: ignore[assignment]  # Counter's values may be floats
        return _best(scores)

    def _neighbours(self, item_id: str) -> list[tuple[str, float]]:
        """Items bought on one invoice with this one, by cosine."""
        if item_id not in self._together:
            counts: Counter[str] = Counter()
            for invoice in self._invoices_of[item_id]:
                counts.update(self._invoices[invoice])
            own = counts.pop(item_id)
            scored = [
                (other, count / (own * len(self._invoices_of[other])) ** 0.5)
                for other, count in counts.items()
            ]
            self._together[item_id] = sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:COMMON_ITEMS]
        return self._together[item_id]


class _Customer:
    """One customer's purchases: the latest items without repeats, and on how many invoices each item was."""

    def __init__(self) -> None:
        self.recent: deque[str] = deque()
        self.invoices_of: dict[str, int] = {}
        self._last_invoice: dict[str, str] = {}

    def observe(self, item_id: str, invoice: str) -> None:
        if item_id in self.recent:
            self.recent.remove(item_id)
        self.recent.append(item_id)
        if len(self.recent) > RECENT_ITEMS:
            self.recent.popleft()
        if self._last_invoice.get(item_id) != invoice:
            self._last_invoice[item_id] = invoice
            self.invoices_of[item_id] = self.invoices_of.get(item_id, 0) + 1

    def most_frequent(self) -> str:
        """The item on most invoices; of several the one bought last."""
        most = max(self.invoices_of.values())
        later = [item_id for item_id in reversed(self.recent) if self.invoices_of[item_id] == most]
        if later:
            return later[0]
        return next(item_id for item_id, count in self.invoices_of.items() if count == most)


def _best(scores: Counter[str]) -> str:
    """The highest; of equals the first by name, so that a run repeats itself."""
    return min(scores, key=lambda item_id: (-scores[item_id], item_id), default="")
