import pytest

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_number, check_numbers


def test_a_misspelt_choice_is_answered_by_the_nearest() -> None:
    with pytest.raises(CampaignFileError, match="did you mean 'adamw'"):
        among("optimiser", "adamww", ("adam", "adamw", "sgd"))


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "3", None, True, [1]])
def test_a_number_outside_its_limits_is_refused(value: object) -> None:
    with pytest.raises(CampaignFileError, match=r"rate.*a number above 0"):
        check_number("rate", value, above=0)


def test_a_fraction_is_no_whole_number() -> None:
    with pytest.raises(CampaignFileError, match="a whole number at least 1"):
        check_number("epochs", 1.5, whole=True, least=1)


def test_an_entry_of_a_list_is_named_by_its_place() -> None:
    with pytest.raises(CampaignFileError, match=r"hidden\[1\]"):
        check_numbers("hidden", [32, 0], whole=True, least=1)


@pytest.mark.parametrize("values", [32, "32", None])
def test_what_is_no_list_is_refused(values: object) -> None:
    with pytest.raises(CampaignFileError, match="a list of numbers"):
        check_numbers("hidden", values)


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(CampaignFileError, match="above 0"):
        check_numbers("target_weights", [0, 0], least=0, one_above=0)
