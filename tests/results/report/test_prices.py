import pytest

from results.report.prices import PriceError, Prices, parse, present


def test_prices_are_read():
    prices = parse("K80:0.45, P100:1.46", "usd")
    assert prices.currency == "USD"
    assert prices.of("Tesla P100-SXM2-16GB") == 1.46
    assert prices.of("V100-SXM2-16GB") is None


def test_the_name_with_the_most_words_wins():
    prices = parse("A100:2,A100-80GB:3", "USD")
    assert (prices.of("A100-SXM4-40GB"), prices.of("A100-SXM4-80GB")) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("text", "currency", "message"),
    [
        ("K80:0.45USD,P100:1.46EUR", "", "mixes currencies: K80 in USD, P100 in EUR. Convert them to one."),
        ("K80:0.45EUR", "USD", "mixes currencies: K80 in EUR, --currency is USD. Convert them to one."),
        ("K80:0.45,P100:1.46EUR", "", "mixes currencies: K80 in none, P100 in EUR. Convert them to one."),
        ("K80:0.45", "", "has no currency. Add one, as in --currency=USD."),
        ("K80", "USD", "cannot read 'K80': write it as NAME:AMOUNT"),
        ("K80:-1", "USD", "cannot read 'K80:-1'"),
        ("K80:0", "USD", "above zero"),
        ("K80:nan", "USD", "cannot read 'K80:nan'"),
        ("K80:1e999", "USD", "cannot read 'K80:1e999'"),
        ("K80:1,k80:2", "USD", "'k80' has two prices. Give one."),
        (",", "USD", "no price in it"),
    ],
)
def test_unfit_prices_are_refused(text, currency, message):
    with pytest.raises(PriceError) as caught:
        parse(text, currency)
    assert message in str(caught.value)


def test_a_price_of_an_absent_device_is_named_and_the_others_are_kept():
    kept, messages = present(parse("V100:2,K80:0.45", "USD"), ["K80", "P100-SXM2-16GB"])
    assert kept == Prices({"K80": 0.45}, "USD")
    assert messages == ["--price: no record of this report ran on 'V100'. Accelerators in it: K80, P100-SXM2-16GB."]


def test_two_prices_that_mean_one_device_are_refused():
    with pytest.raises(PriceError, match=r"both 'A100' and 'SXM4' mean A100-SXM4-40GB\. Give one of them\."):
        present(parse("A100:1,SXM4:2", "USD"), ["A100-SXM4-40GB"])
