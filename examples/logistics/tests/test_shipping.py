"""Each agent's part by itself: what is read, corrected, routed, reserved and handed off, and what is refused."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from shipping import DATA, addresses, dispatch, inventory, load, network, orders


class Register:
    """Versioned values in memory."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[Any, int]] = {}
        self.before_put: Any = None
        self._lock = threading.Lock()

    def get(self, key: str) -> tuple[Any, int] | None:
        with self._lock:
            found = self.values.get(key)
            return None if found is None else (_copy(found[0]), found[1])

    def put(self, key: str, value: Any, version: int | None) -> bool:
        if self.before_put is not None:
            self.before_put()
        with self._lock:
            current = self.values.get(key)
            if (None if current is None else current[1]) != version:
                return False
            self.values[key] = (_copy(value), (version or 0) + 1)
            return True


def _copy(record: Any) -> Any:
    return {"free": dict(record["free"]), "held": {holder: dict(picks) for holder, picks in record["held"].items()}}


ADDRESS = {"name": "A", "street": "S 1", "postcode": "04109", "city": "Leipzig", "country": "DE"}


def test_an_export_with_semicolons_and_other_names_is_read_in_its_order() -> None:
    found = orders.split((DATA / "orders.csv").read_text("utf-8"))
    assert [order["shipment"] for order in found] == [f"S-10{n:02}" for n in range(1, 13)]
    assert found[0]["lines"] == [{"sku": "BOT-750", "quantity": "2"}, {"sku": "MUG-SET", "quantity": "1"}]


def test_an_export_without_a_column_that_matters_is_refused_by_its_name() -> None:
    with pytest.raises(orders.UnreadableOrders, match="postcode, city"):
        orders.split("order,sku,qty,name,street,country\n")


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("3", 3), ("3.00", 3), ("3 pcs", 3), ("0", None), ("two", None), ("-1", None), (True, None), ("1.5", None)],
)
def test_a_quantity_is_read_or_refused_never_guessed(text: Any, quantity: int | None) -> None:
    shipment = orders.normalise({"shipment": "1", "lines": [{"sku": "tor-set", "quantity": text}], **ADDRESS})
    assert [line["quantity"] for line in shipment["lines"]] == ([] if quantity is None else [quantity])
    assert bool(shipment["problems"]) == (quantity is None)


def test_lines_for_one_article_are_added_up_with_weight_and_hazards() -> None:
    lines = [{"sku": "PWR-20K", "quantity": 1}, {"sku": "TOR-SET", "quantity": 1}, {"sku": "PWR-20K", "quantity": 2}]
    shipment = orders.normalise({"shipment": "1", "lines": lines, **ADDRESS})
    assert [(line["sku"], line["quantity"]) for line in shipment["lines"]] == [("PWR-20K", 3), ("TOR-SET", 1)]
    assert (shipment["weight_g"], shipment["hazards"]) == (3 * 460 + 290, ["lithium"])


@pytest.mark.parametrize(
    ("country", "text", "postcode"),
    [
        ("NL", "1012ab", "1012 AB"),
        ("NL", "NL-1O12 AB", "1012 AB"),
        ("DE", "D-10115", "10115"),
        ("DE", "4109", "04109"),
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", "M1 1AA", "M1 1AA"),
        ("PL", "838", None),
        ("PL", "00838", "00-838"),
        ("PT", "1100053", "1100-053"),
        ("SE", "11151", "111 51"),
        ("FR", "69OO2", "69002"),
        ("AT", "10100", None),
        ("DE", "ABCDE", None),
    ],
)
def test_a_postcode_has_one_reading_or_none(country: str, text: str, postcode: str | None) -> None:
    reading = addresses.read_postcode(country, text)
    assert (reading and reading[0]) == postcode


def test_a_misspelled_city_is_corrected_by_its_postcode_and_the_correction_is_told() -> None:
    found = addresses.validate({**ADDRESS, "postcode": "1012ab", "city": "Amsterdm", "country": "Holland"})
    assert found["valid"]
    assert found["node"] == "AMS"
    assert {correction["field"]: correction["to"] for correction in found["corrections"]} == {
        "country": "NL",
        "postcode": "1012 AB",
        "city": "Amsterdam",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"city": "Roma", "postcode": "20123", "country": "IT"}, "city"),
        ({"country": "Atlantis"}, "country"),
        ({"postcode": "99999"}, "postcode"),
        ({"postcode": "1"}, "postcode"),
    ],
)
def test_what_is_not_certain_is_refused_by_its_field(change: dict[str, str], field: str) -> None:
    found = addresses.validate(ADDRESS | change)
    assert not found["valid"]
    assert found["problems"][0]["field"] == field


def test_every_area_is_served_from_a_place_in_the_network() -> None:
    nodes = {area[0] for rules in addresses.countries().values() for area in rules["areas"].values()}
    assert nodes <= set(network.network().kinds)


def test_express_is_faster_and_standard_is_cheaper() -> None:
    express = network.route("RTM", "LON", "express", 1000, [])
    standard = network.route("RTM", "LON", "standard", 1000, [])
    assert express["minutes"] < standard["minutes"]
    assert express["cents"] > standard["cents"]
    assert [leg["mode"] for leg in express["legs"]] == ["air"]


def test_batteries_do_not_fly() -> None:
    ways = [network.route("LYS", "MAD", "express", 1000, hazards) for hazards in ([], ["lithium"])]
    assert [any(leg["mode"] == "air" for leg in way["legs"]) for way in ways] == [True, False]


def test_a_route_is_the_best_of_all_of_them() -> None:
    # given every simple way between two places
    graph = network.network()

    def ways(node: str, end: str, seen: tuple[str, ...], minutes: int) -> list[int]:
        if node == end:
            return [minutes]
        handling = graph.handling[graph.kinds[node]]
        return [
            total
            for link in graph.links[node]
            if link.to not in seen and len(seen) < 6
            for total in ways(link.to, end, (*seen, link.to), minutes + link.minutes + handling)
        ]

    # then the search has found the shortest
    for origin, end in [("RTM", "VIE"), ("POZ", "LON"), ("LYS", "STO")]:
        assert network.route(origin, end, "express", 500, [])["minutes"] == min(ways(origin, end, (origin,), 0))


def test_there_is_a_way_from_every_warehouse_to_every_place_for_everything() -> None:
    graph = network.network()
    for warehouse in graph.warehouses():
        for node in graph.kinds:
            way = network.route(warehouse, node, "standard", 200_000, ["aerosol", "lithium"])
            assert network.instructions(way)[-1].startswith("Deliver by van")


def test_a_place_that_is_not_there_has_no_route() -> None:
    with pytest.raises(network.NoRoute, match="XXX"):
        network.route("RTM", "XXX", "express", 1, [])


def test_a_reservation_takes_from_the_nearest_warehouse_and_counts_once() -> None:
    register = Register()
    lines = [{"sku": "JAC-L", "quantity": 2}]
    first = inventory.reserve(register, lines, "PL", "h")
    again = inventory.reserve(register, lines, "PL", "h")
    assert first == again
    assert first["parcels"] == [{"warehouse": "POZ", "lines": [{"sku": "JAC-L", "quantity": 2}]}]
    assert register.values["stock.JAC-L"][0]["free"]["POZ"] == inventory.opening_stock()["JAC-L"]["POZ"] - 2


def test_a_shortage_takes_nothing_and_says_how_many_are_short() -> None:
    register = Register()
    lines = [{"sku": "BOT-750", "quantity": 1}, {"sku": "CAM-4P", "quantity": 6}]
    found = inventory.reserve(register, lines, "NL", "h")
    assert (found["reserved"], found["missing"]) == (False, [{"sku": "CAM-4P", "short": 1}])
    assert register.values["stock.BOT-750"][0] == {"free": inventory.opening_stock()["BOT-750"], "held": {}}


def test_what_no_warehouse_has_alone_comes_in_parcels() -> None:
    found = inventory.reserve(Register(), [{"sku": "CAM-4P", "quantity": 5}], "FR", "h")
    assert [(parcel["warehouse"], parcel["lines"][0]["quantity"]) for parcel in found["parcels"]] == [
        ("LYS", 2),
        ("RTM", 3),
    ]


def test_what_is_put_back_can_be_had_again_and_is_put_back_once() -> None:
    register = Register()
    lines = [{"sku": "LAD-3M", "quantity": 4}]
    assert inventory.reserve(register, lines, "DE", "one")["reserved"]
    assert not inventory.reserve(register, lines, "DE", "two")["reserved"]
    assert [inventory.release(register, lines, "one") for _ in range(2)] == [4, 0]
    assert inventory.reserve(register, lines, "DE", "two")["reserved"]


def test_whoever_comes_second_reads_again() -> None:
    register = Register()

    def meanwhile() -> None:
        register.before_put = None
        inventory.reserve(register, [{"sku": "LAD-3M", "quantity": 3}], "DE", "faster")

    register.before_put = meanwhile
    found = inventory.reserve(register, [{"sku": "LAD-3M", "quantity": 3}], "DE", "slower")
    assert found["missing"] == [{"sku": "LAD-3M", "short": 2}]


def test_a_race_that_is_never_won_ends() -> None:
    register = Register()
    register.put = lambda key, value, version: False  # type: ignore[method-assign]
    with pytest.raises(inventory.Contended):
        inventory.reserve(register, [{"sku": "TOR-SET", "quantity": 1}], "DE", "h")


def test_no_piece_is_lost_or_sold_twice_among_many_at_once() -> None:
    # given forty shipments over eight threads that want the same few products
    register = Register()
    chance = random.Random(7)
    wishes = [
        (f"h{n}", [{"sku": chance.choice(["CAM-4P", "LAD-3M"]), "quantity": chance.randint(1, 3)}]) for n in range(40)
    ]
    taken: dict[str, dict[str, Any]] = {}

    def work(mine: list[tuple[str, list[dict[str, Any]]]]) -> None:
        for holder, lines in mine:
            taken[holder] = inventory.reserve(register, lines, "DE", holder)

    threads = [threading.Thread(target=work, args=(wishes[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then what is free and what is held are together what there was
    for sku in ("CAM-4P", "LAD-3M"):
        record = register.values[f"stock.{sku}"][0]
        held = sum(sum(picks.values()) for picks in record["held"].values())
        wished = sum(
            line["quantity"]
            for holder, lines in wishes
            for line in lines
            if line["sku"] == sku and taken[holder]["reserved"]
        )
        assert held == wished
        assert sum(record["free"].values()) + held == sum(inventory.opening_stock()[sku].values())
        assert min(record["free"].values()) >= 0


def test_a_document_is_written_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    shipment = orders.normalise({"shipment": "S-1", "lines": [{"sku": "TOR-SET", "quantity": 1}], **ADDRESS})
    content = dispatch.document(shipment, ADDRESS, [], "run/0/0")
    made = [dispatch.hand_off(tmp_path / "out", content) for _ in range(3)]
    assert [fresh for _, fresh in made] == [True, False, False]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{content['number']}.json"]


def test_other_keys_make_other_documents_and_the_label_follows_the_country() -> None:
    shipment = orders.normalise({"shipment": "S-1", "lines": [{"sku": "TOR-SET", "quantity": 1}], **ADDRESS})
    london = {"name": "N", "street": "S", "postcode": "SW1A 1AA", "city": "London", "country": "GB"}
    one, other = (dispatch.document(shipment, london, [], key) for key in ("a", "b"))
    assert one["number"] != other["number"]
    assert one["to"] == ["N", "S", "LONDON", "SW1A 1AA", "GB"]


def test_the_load_is_the_same_for_the_same_seed_and_mostly_fit_to_ship() -> None:
    generated = load.generate(300, 5)
    assert generated == load.generate(300, 5)
    shipments = [orders.normalise(order) for order in generated]
    assert not any(shipment["problems"] for shipment in shipments)
    valid = sum(addresses.validate(shipment["address"])["valid"] for shipment in shipments)
    assert 0.90 * 300 < valid < 300


def test_the_checks_of_the_load_see_what_is_wrong(tmp_path: Path) -> None:
    # given two shipments, of which one has two documents and the other none
    outcomes = [{"shipment": "a", "status": "dispatched"}, {"shipment": "b", "status": "dispatched"}]
    for name in ("1", "2"):
        (tmp_path / f"{name}.json").write_text('{"shipment": "a"}')
    wrong = load.check_documents(outcomes, tmp_path)
    assert wrong == ["a: 2 documents", "b: dispatched without a document"]
    # and a stock in which a piece is missing
    opening = inventory.opening_stock()["LAD-3M"]["LEJ"]
    state = {"stock.LAD-3M": {"free": {"LEJ": opening - 2}, "held": {"h": {"LEJ": 1}}}}
    sent = {"a": {"lines": [{"sku": "LAD-3M", "quantity": 1}]}}
    assert load.check_stock(state, sent, outcomes[:1]) == [f"LAD-3M: {opening - 2} free and 1 held of {opening}"]


@pytest.mark.parametrize(("part", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(part: float, value: int) -> None:
    assert load.percentile([float(n) for n in range(1, 101)], part) == value
