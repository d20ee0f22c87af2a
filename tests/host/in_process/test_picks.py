"""What a person types as favourites and rejects, and what becomes of the rewards."""

import pytest
import torch

REWARDS = torch.tensor([0.31, 0.22, 0.27, 0.40, 0.25])


@pytest.fixture(scope="module")
def parse(nodes_room):
    return nodes_room("values.picks").parse_picks


@pytest.fixture
def pick(node_classes, lidar_core):
    lookaheads = lidar_core.LookaheadSet(torch.randn(5, 4, 8, 8), REWARDS, "CLIP score", {"prompt": "a lamp"})

    def run(picks, **settings):
        return node_classes["LiDARPickLookaheads"].execute(lookaheads, picks, **settings).result[0]

    run.lookaheads = lookaheads
    return run


@pytest.mark.parametrize(
    ("text", "rewards"),
    [
        ("3, 5", [0, 0, 1, 0, 1]),
        ("3=5, 4=4, 1=-2", [-2, 0, 5, 4, 0]),
        ("-2", [0, -1, 0, 0, 0]),
        ("5;1\n2=.25", [1, 0.25, 0, 0, 1]),
        (" 4 = 1e1 ,, ", [0, 0, 0, 10, 0]),
        ("5 4  -1\t2 =3", [-1, 3, 0, 1, 1]),
        ("\uff13\uff0c\uff15\u3001-\uff11", [-1, 0, 1, 0, 1]),  # as Chinese and Japanese keyboards write
        ("", [0, 0, 0, 0, 0]),
    ],
)
def test_numbers_count_from_1_and_stand_for_1_unless_they_say_more(parse, text, rewards):
    assert parse(text, 5).tolist() == rewards


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("6", r"picks names lookahead 6, but there are 5: use the numbers 1 to 5"),
        ("0", "picks names lookahead 0, but their numbers begin at 1"),
        ("2, 3, 2=4", "picks names lookahead 2 twice"),
        ("2, -2", "picks names lookahead 2 twice"),
        ("the red one", "picks has 'the': write numbers"),
        ("1.5", "picks has '1.5': write numbers"),
        ("3=", "picks has '3=': write numbers"),
        ("-3=2", "picks has '-3=2': write numbers"),
        ("3=good", "picks has 'good', which is no finite number"),
        ("3=nan", "picks has 'nan', which is no finite number"),
        ("3=0,5", r"picks has '=0,5', one number or two\? Write a value with a point"),
        ("1=-2,5; 4", r"picks has '=-2,5', one number or two\? Write a value with a point"),
        ("9" * 5000, "picks names lookahead 9{8}...9{9}, but there are 5"),
        ("caf\udce9\0", r"picks has 'caf\\\\udce9\\\\x00': write numbers"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(parse, pick, text, message):
    with pytest.raises(ValueError, match=message):
        parse(text, 5)
    with pytest.raises(ValueError, match=f"^LiDAR Pick Lookaheads: {message}") as raised:
        pick(text)
    assert "\n" not in str(raised.value)


def test_the_name_of_a_set_stands_behind_the_numbers(nodes_room):
    split = nodes_room("values.picks").split_picks
    assert split("3, -7=2 ") == ("3, -7=2", "")
    assert split(" 3;7\n@ K7F2 ") == ("3;7", "k7f2")
    assert split("@k7f2") == ("", "k7f2")
    for wrong in ("3 @", "3 @k7f", "3 @k7f2x", "@k7f2 3", "3 @a @b", "3 @k7f\u00e9", "3 @\u0663333"):
        with pytest.raises(ValueError, match="^picks has .*: write the name of the set once, at the end"):
            split(wrong)


def test_picks_of_another_set_change_nothing_but_what_is_told(node_classes, lidar_core, nodes_room):
    lookaheads = lidar_core.LookaheadSet(
        torch.randn(5, 4, 8, 8), REWARDS, "CLIP score", {"set": "k7f2", "notes": "cut"}
    )
    pick = node_classes["LiDARPickLookaheads"].execute
    notes_of = nodes_room("values.set_name").notes_of
    mine, other = (pick(lookaheads, f"2, 4 @{name}").result[0] for name in ("k7f2", "m3p9"))
    assert torch.equal(other.rewards, REWARDS) and other.reward_name == "CLIP score" and mine.order()[0] == 3
    assert notes_of(mine) == ["cut", "picks 2, 4 of the set k7f2"]
    assert notes_of(other) == ["cut", "picks 2, 4 are for the set m3p9 and not used: this is the set k7f2"]
    assert pick(lookaheads, "40 @m3p9").result[0].count == 5, "numbers of another set may be anything"
    with pytest.raises(ValueError, match="picks 2 are for the set m3p9 and not used.*, and nothing else is rewarded"):
        pick(lookaheads, "2 @m3p9", mode="picks alone")


def test_a_set_without_a_name_fits_no_name(pick, nodes_room):
    notes_of = nodes_room("values.set_name").notes_of
    assert notes_of(pick("2 @k7f2")) == ["picks 2 are for the set k7f2 and not used: this is a set without a name"]
    assert notes_of(pick("2\n4 @k7f2"))[0].startswith("picks 2 4 are for")
    assert pick("2").metadata == pick.lookaheads.metadata


def test_picks_alone_replace_the_rewards(pick):
    picked = pick("2=3, 5", mode="picks alone")
    assert picked.rewards.tolist() == [0, 3, 0, 0, 1]
    assert picked.reward_name == "picks"
    assert torch.equal(picked.latents, pick.lookaheads.latents) and picked.metadata == pick.lookaheads.metadata
    with pytest.raises(ValueError, match="picks is empty, and nothing else is rewarded"):
        pick("", mode="picks alone")


def test_picks_on_top_stand_out_in_standard_deviations_of_the_rewards(pick):
    picked = pick("2, -4", weight=1.5)
    deviations = (REWARDS.double() - REWARDS.double().mean()) / REWARDS.double().std(correction=0)
    ahead = 1.5 + deviations.max() - deviations.min()
    truth = deviations + ahead * torch.tensor([0, 1, 0, -1, 0])
    torch.testing.assert_close(picked.rewards.double(), truth, atol=1e-5, rtol=0)
    assert picked.reward_name == "CLIP score + picks"


@pytest.mark.parametrize("weight", [0.1, 3.0])
def test_favourites_come_first_and_rejects_last_whatever_the_model_thinks(pick, weight):
    for picks, first, last in (("2", [2], []), ("-4", [], [4]), ("5=0.2, 2=0.1, -4, 1=-7", [5, 2], [4, 1])):
        order = [index + 1 for index in pick(picks, weight=weight).order().tolist()]
        assert (order[: len(first)], order[len(order) - len(last) :]) == (first, last)


def test_it_says_how_many_favourites_hold(node_classes, pick):
    def favourites(picks, **settings):
        return node_classes["LiDARPickLookaheads"].execute(pick.lookaheads, picks, **settings).result[1]

    assert favourites("3, -2, 1=0.5, 4=0, 5=-1") == favourites("3, 1", mode="picks alone") == 2
    assert favourites("") == favourites("-3") == favourites("3", weight=0.0) == favourites("3 @k7f2") == 0


def test_no_picks_change_nothing(pick):
    for settings in ({"picks": ""}, {"picks": "3", "weight": 0.0}):
        assert pick(**settings) is pick.lookaheads


def test_an_unknown_mode_is_refused(pick):
    with pytest.raises(
        ValueError, match="mode is 'best', wanted one of its list: choose on top of the rewards, picks alone"
    ):
        pick("1", mode="best")
