"""Several reward models as one: an equal say for each, whatever their scale."""

import pytest
import torch


@pytest.fixture(scope="module")
def load(node_classes):
    return lambda kind: node_classes["LiDARRewardModelLoader"].execute(kind).result[0]


@pytest.fixture
def combine(node_classes):
    def run(*rewards, weights="", names=None):
        names = names or [f"reward_{number}" for number in range(1, len(rewards) + 1)]
        return node_classes["LiDARCombineRewards"].execute(dict(zip(names, rewards, strict=True)), weights).result[0]

    return run


@pytest.fixture
def score(nodes_room):
    return lambda reward, images: nodes_room("host.scoring").score_images([reward], images, "", 2)[0]


@pytest.fixture(scope="module")
def images():
    torch.manual_seed(8)
    return torch.rand(5, 6, 8, 3) * torch.tensor([0.2, 0.9, 0.5, 0.7, 1.0]).view(-1, 1, 1, 1)


def standardised(values):
    return (values.double() - values.double().mean()) / values.double().std(correction=0)


def test_members_are_standardised_before_they_are_weighted(combine, load, score, images):
    bright, colourful = load("brightness"), load("colourfulness")
    truth = 0.25 * standardised(score(bright, images).rewards) - 2 * standardised(score(colourful, images).rewards)
    scores = score(combine(bright, colourful, weights="0.25, -2"), images)
    torch.testing.assert_close(scores.rewards.double(), truth, atol=1e-5, rtol=0)
    assert scores.name == "0.25 brightness - 2 colourfulness"
    assert list(scores.columns) == ["brightness", "colourfulness"]
    torch.testing.assert_close(scores.columns["colourfulness"], score(colourful, images).rewards)


def test_without_weights_all_count_alike(combine, load, score, images):
    members = [load("brightness"), load("colourfulness")]
    equal, none = score(combine(*members, weights="1 1"), images), score(combine(*members), images)
    assert torch.equal(equal.rewards, none.rewards)


def test_a_combination_can_be_a_member(combine, load, score, images):
    bright, colourful = load("brightness"), load("colourfulness")
    inner = combine(bright, colourful, weights="1, 3")
    scores = score(combine(inner, bright, weights="2, 1"), images)
    truth = 2 * standardised(score(inner, images).rewards) + standardised(score(bright, images).rewards)
    torch.testing.assert_close(scores.rewards.double(), truth, atol=1e-5, rtol=0)
    assert list(scores.columns) == ["brightness", "colourfulness"], "a model that is met twice scores once"


def test_a_combination_is_told_as_data_that_gives_the_same_sum(combine, load, score, images, lidar_core):
    bright, colourful = load("brightness"), load("colourfulness")
    whole = combine(combine(bright, colourful, weights="1, 3"), bright, load("brightness"), weights="2, -1, 0.3")
    scores = score(whole, images)
    inner = (("brightness", 1.0), ("colourfulness", 3.0))
    assert scores.combination == ((inner, 2.0), ("brightness", -1.0), ("brightness (2)", 0.3))
    assert torch.equal(lidar_core.combine(scores.combination, scores.columns), scores.rewards)
    assert score(bright, images).combination == ()


def test_two_models_of_one_name_are_told_apart(combine, load, score, images):
    assert list(score(combine(load("brightness"), load("brightness")), images).columns) == [
        "brightness",
        "brightness (2)",
    ]


def test_a_member_that_scores_all_alike_has_no_say(combine, load, score):
    grey = torch.rand(4, 1, 1, 1).expand(-1, 6, 8, 3)
    bright = score(load("brightness"), grey).rewards
    scores = score(combine(load("brightness"), load("colourfulness")), grey)
    torch.testing.assert_close(scores.rewards.double(), standardised(bright), atol=1e-5, rtol=0)


def test_a_gap_between_connected_sockets_keeps_the_order(combine, load):
    combined = combine(load("brightness"), load("colourfulness"), weights="3, 1", names=["reward_5", "reward_2"])
    assert combined.name == "3 colourfulness + 1 brightness"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("1", "weights has 1 number for 2 connected rewards: write one for each, such as 1, 1, or leave it empty"),
        ("1, 2, 3", "weights has 3 numbers for 2 connected rewards"),
        ("0, 0", "all weights are 0"),
        ("1, much", "weights has 'much', which is no finite number"),
    ],
)
def test_wrong_weights_are_told_in_one_line(combine, load, weights, message):
    with pytest.raises(ValueError, match=f"^LiDAR Combine Rewards: {message}"):
        combine(load("brightness"), load("colourfulness"), weights=weights)


def test_nothing_connected_is_told_in_one_line(combine):
    with pytest.raises(ValueError, match="^LiDAR Combine Rewards: no reward is connected: connect"):
        combine()


@pytest.mark.parametrize("weights", ["0,5", "0,5; 0,3", "1 0,5", "-0,5"])
def test_a_decimal_comma_is_asked_about(combine, load, weights):
    members = [load("brightness"), load("contrast")]
    with pytest.raises(
        ValueError, match=r"^LiDAR Combine Rewards: weights has '-?0,5', one number or two\? Write -?0\.5 "
    ):
        combine(*members, weights=weights)


@pytest.mark.parametrize("weights", ["0.5, 2", "0.5,2", "[0,5]", "0, 5", "0.5\n2"])
def test_what_is_plainly_a_list_is_read(combine, load, weights):
    combine(load("brightness"), load("contrast"), weights=weights)


@pytest.mark.parametrize("stranger", ["a text", 3, object()])
def test_only_reward_models_can_be_members(combine, load, nodes_room, stranger):
    """The host calls is_dynamic of a cached result where nothing catches an error, so a wrong member is refused at once."""
    with pytest.raises(
        ValueError, match="^LiDAR Combine Rewards: reward_2 is .*, wanted a LiDAR reward model: connect"
    ):
        combine(load("brightness"), stranger)
    with pytest.raises(ValueError, match="a member is an? .*, wanted reward models"):
        nodes_room("host.combined_reward").CombinedReward(((stranger, 1.0),))


def test_no_nest_of_combinations_is_too_deep_for_the_host(combine, load):
    reward = load("brightness")
    for _ in range(32):
        reward = combine(reward, load("contrast"))
    assert reward.count == 64 and not reward.is_dynamic() and len(reward.name) <= 200
    with pytest.raises(ValueError, match="^LiDAR Combine Rewards: the combination has 65 members in all, 64 at most"):
        combine(reward)
