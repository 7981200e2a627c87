"""The explorable: its arithmetic against the estimator's, and its page in a browser."""

import importlib.util
import itertools
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.preprocessing import StandardScaler

from sgdreg import SGDLinearRegressor, schedules
from sgdreg._curvature.metric import Metric
from sgdreg._curvature.stable_step import POWER_MARGIN, stable_step
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg.losses import SQUARED_ERROR

pytest.importorskip("selenium", reason="the explorable's tests need selenium")
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FOLDER = Path(__file__).parent.parent / "docs" / "explorable"
PAGE = f"{FOLDER.as_uri()}/index.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--hide-scrollbars --window-size=1440,900"
)
DATA = ("line", "six", "measured", "houses", "noisy", "outliers", "own")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SCHEDULES = ("constant", "invscaling", "stepdecay", "cosine", "linear")
SIX = {"data": "six", "eta": 0.1, "shuffle": "off", "epochs": 10}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all tests, at the page's folder."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = tmp_path_factory.mktemp("profile")
    for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(driver)
    with webdriver.Chrome(options=options, service=service) as browser:
        yield browser


@pytest.fixture
def sums(browser):
    """The page, for what it computes: whatever it looks like."""
    if not browser.current_url.startswith(PAGE):
        browser.get(PAGE)
    return browser


@pytest.fixture
def page(browser):
    """The page as it opens, at 1440 pixels; afterwards nothing may have gone wrong."""
    look(browser, 1440)
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get(PAGE)
    yield browser
    assert browser.get_log("browser") == []
    asked = re.findall(
        r'"requestWillBeSent".*?"url":"(.*?)"', str(browser.get_log("performance"))
    )
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []


def look(browser, width, scheme="light"):
    """Set the width of the view, and the system's colours."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def run(browser, settings, steps):
    return browser.execute_script("return explorable.run(...arguments)", settings, steps)


def set_page(browser, settings, t=0):
    browser.execute_script("explorable.set(...arguments)", settings, t)


def state(browser):
    return browser.execute_script("return explorable.state()")


def at(browser, name):
    return browser.find_element("id", name)


def until(browser, condition):
    WebDriverWait(browser, 5, poll_frequency=0.02).until(condition)


def shown(browser, name):
    """The text of an element, with a plain minus."""
    return at(browser, name).text.replace("−", "-")


# ----------------------------------------------------------------------- arithmetic


def schedule_of(settings, per_epoch):
    """The object of sgdreg.schedules that a page's settings mean."""
    eta, steps = settings["eta"], settings["epochs"] * per_epoch
    return {
        "constant": schedules.Constant(eta),
        "invscaling": schedules.InvScaling(eta, power_t=settings["power"]),
        "stepdecay": schedules.StepDecay(eta, every=settings["every"] * per_epoch),
        "cosine": schedules.Cosine(eta, steps=steps),
        "linear": schedules.Polynomial(eta, steps=steps),
    }[settings["schedule"]]


def drawn_settings(count):
    """Settings that hold each pair of a few choices, and random others."""
    rng = np.random.default_rng(0)
    pairs = itertools.cycle(itertools.product(OPTIMIZERS, SCHEDULES))
    for i, (optimizer, schedule) in zip(range(count), pairs, strict=False):
        yield {
            "data": DATA[i % len(DATA)],
            "optimizer": optimizer,
            "schedule": schedule,
            "batch": str(rng.choice(["1", "2", "4", "7", "all"])),
            "shuffle": str(rng.choice(["off", "rows", "blocks"])),
            "scaling": str(rng.choice(["raw", "standardised"])),
            "seed": int(rng.integers(1000)),
            "momentum": float(rng.choice([0.5, 0.9])),
            "power": 0.75,
            "every": 1,
            "epochs": 3,
            "start": [0.5, -0.25, 1.0] if i % 4 == 0 else [0.0, 0.0, 0.0],
            "points": [[1, 2], [2, 1], [3, 5], [4, 4], [7, 6]],
        }


def test_every_step_is_the_estimators(sums):
    every = list(drawn_settings(35))
    plain = "return arguments[0].map((s) => explorable.run({...s, optimizer: 'sgd'}, 0))"
    for settings, bound in zip(every, sums.execute_script(plain, every), strict=True):
        settings["eta"] = 0.3 * bound["stable"]["value"] / 10
    script = "return arguments[0].map((s) => explorable.run(s, 20))"
    for settings, result in zip(every, sums.execute_script(script, every), strict=True):
        compare(settings, result)


def flat(batches):
    return list(itertools.chain.from_iterable(batches))


def compare(settings, result):
    """A page's run beside partial_fit on its batches, step by step."""
    X, y = np.array(result["raw"], dtype=float), np.array(result["y"], dtype=float)
    if settings["scaling"] == "standardised":
        X = StandardScaler().fit_transform(X)
    assert_allclose(result["X"], X, rtol=1e-12, atol=1e-12)
    n, d = X.shape
    size = n if settings["batch"] == "all" else min(n, int(settings["batch"]))
    assert result["perEpoch"] == -(-n // size)
    epochs = [
        flat(result["batches"][k : k + result["perEpoch"]])
        for k in range(0, len(result["batches"]), result["perEpoch"])
    ]
    for rows in epochs:
        assert len(set(rows)) == len(rows)
        assert len(rows) == n or rows is epochs[-1]
    schedule = schedule_of(settings, result["perEpoch"])
    steps = np.arange(1.0, len(result["batches"]) + 1)
    assert_allclose(result["eta"], schedule(steps), rtol=1e-13, atol=1e-300)
    optimizer = settings["optimizer"]
    if optimizer in ("momentum", "nesterov"):
        module = importlib.import_module("sgdreg.optimizers")
        optimizer = getattr(module, optimizer.title())(settings["momentum"])
    model = SGDLinearRegressor(
        optimizer=optimizer, learning_rate=schedule, batch_size="full", max_iter=1, tol=None
    )
    start = settings["start"]
    assert result["theta"][0] == [*start[:d], start[2]]
    for k, rows in enumerate(result["batches"]):
        before = np.array(result["theta"][k])
        residuals = X[rows] @ before[:-1] + before[-1] - y[rows]
        assert_allclose(result["loss"][k], np.mean(residuals**2) / 2, rtol=1e-9)
        if k == 0 and any(start):
            model.fit(X[rows], y[rows], coef_init=start[:d], intercept_init=start[2])
        else:
            model.partial_fit(X[rows], y[rows])
        theta = [*model.coef_, model.intercept_]
        close = {"rtol": 1e-9, "atol": 1e-9 * np.abs(theta).max()}
        assert_allclose(result["theta"][k + 1], theta, **close, err_msg=str(settings))
        objective = np.mean((X @ theta[:-1] + theta[-1] - y) ** 2) / 2
        assert_allclose(result["objective"][k + 1], objective, rtol=1e-7, atol=1e-20)


@pytest.mark.parametrize("shuffle", ["rows", "blocks", "off"])
def test_orders(sums, shuffle):
    settings = {"data": "noisy", "batch": 7, "shuffle": shuffle, "eta": 1e-3}
    batches = run(sums, settings, 15)["batches"]
    first, second, third = (batches[k : k + 5] for k in (0, 5, 10))
    stored = [list(range(k, min(k + 7, 30))) for k in range(0, 30, 7)]
    if shuffle == "off":
        assert first == second == stored
    elif shuffle == "blocks":
        assert sorted(first) == sorted(second) == stored
    else:
        assert sorted(flat(first)) == list(range(30))
        assert [len(rows) for rows in first] == [7, 7, 7, 7, 2]
    if shuffle != "off":
        assert not (first == second == third)
        assert run(sums, settings, 15)["batches"] == batches
        assert run(sums, {**settings, "seed": 1}, 15)["batches"] != batches


@pytest.mark.parametrize("data", DATA)
def test_without_knobs_it_is_the_defaults(sums, data):
    result = run(sums, {"data": data, "optimizer": "auto"}, 1)
    model = SGDLinearRegressor().fit(result["raw"], result["y"])
    assert_allclose(result["theta"][1], [*model.coef_, model.intercept_], atol=1e-9)
    assert_allclose(result["optimum"], result["theta"][1], atol=1e-12)


# ------------------------------------------------------------------------- stability


@pytest.mark.parametrize("batch", [1, 4, 30])
@pytest.mark.parametrize("data", ["noisy", "houses", "six"])
def test_the_bound_is_the_packages(sums, data, batch):
    result = run(sums, {"data": data, "batch": batch}, 0)
    X, y = (np.array(result[name], dtype=float) for name in ("X", "y"))
    rows = Data.build(X, y[:, None], loss=SQUARED_ERROR, team=ALONE)
    step, _ = stable_step(rows, Metric(), min(batch, len(y)))
    assert_allclose(result["stable"]["value"], POWER_MARGIN * step, rtol=0.02)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("data", ["measured", "six"])
def test_beyond_the_mark_all_rows_climb(sums, data, optimizer):
    settings = {"data": data, "batch": "all", "optimizer": optimizer, "start": [3, 3, 3]}
    bound = run(sums, settings, 0)["stable"]["value"]
    first, last = run(sums, {**settings, "eta": 0.97 * bound}, 1500)["objective"][::1500]
    assert last < first
    objective = run(sums, {**settings, "eta": 1.03 * bound}, 1500)["objective"]
    assert objective[-1] > 1e3 * objective[0]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("batch", [1, 3, 8])
def test_in_random_order_steps_up_to_the_mark_are_safe(sums, optimizer, batch):
    """Rows that a line fits exactly: what is left of the error is all that there is."""
    x = np.random.default_rng(batch).standard_t(2, 20).tolist()
    settings = {"data": "own", "points": [[v, 0] for v in x], "start": [3, 3, 3]}
    settings |= {"optimizer": optimizer, "batch": batch}
    bound = run(sums, settings, 0)["stable"]["value"]
    last = run(sums, {**settings, "eta": 0.95 * bound}, 2000)["objective"][-1]
    assert last < 1e-3 * run(sums, settings, 0)["objective"][0]


def both_say(browser, eta, epochs, **settings):
    """What the page says of a run, and what the estimator says (its error or warning)."""
    settings |= {"eta": eta, "epochs": epochs, "shuffle": "off", "start": [0, 0, 0]}
    per_epoch = run(browser, settings, 0)["perEpoch"]
    ended = run(browser, settings, epochs * per_epoch)
    rate = eta
    if "schedule" in settings:
        rate = schedule_of({"power": 0.5, "every": 5, **settings}, per_epoch)
    model = SGDLinearRegressor(
        optimizer=settings.get("optimizer", "sgd"),
        learning_rate=rate,
        batch_size=settings.get("batch", 1),
        shuffle=False,
        max_iter=epochs,
        tol=None,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(ended["raw"], ended["y"])
        except ValueError as error:
            return ended["verdict"], str(error)
    return ended["verdict"], "".join(str(warning.message) for warning in caught)


@pytest.mark.parametrize(
    ("beginning", "settings"),
    [
        ("Diverged at epoch", {"data": "line", "eta": 0.3, "epochs": 50}),
        (
            "Diverged at epoch",
            {"data": "six", "eta": 0.3, "epochs": 9, "schedule": "cosine"},
        ),
        ("Diverged by epoch", {"data": "six", "eta": 0.1, "epochs": 2}),
        (  # the next step would be refused, but there is none
            "Diverged by epoch",
            {"data": "noisy", "batch": 4, "eta": 0.64813, "epochs": 3},
        ),
        (
            "Diverged by epoch",
            {"data": "line", "eta": 0.4, "epochs": 4, "schedule": "cosine"},
        ),
        ("After 2 epochs the model is worse", {"data": "six", "eta": 0.06, "epochs": 2}),
        ("", {"data": "six", "eta": 0.03, "epochs": 20}),
        (
            "Diverged at epoch",
            {"data": "line", "eta": 0.2, "epochs": 50, "optimizer": "momentum"},
        ),
        *(
            ("Diverged at epoch", {"data": "six", "eta": 0.3, "epochs": 99, **rest})
            for rest in (
                {"optimizer": "momentum", "batch": 6},
                {"optimizer": "nesterov", "batch": 6},
            )
        ),
        (
            "Diverged by epoch",
            {"data": "line", "eta": 999, "epochs": 1, "optimizer": "adam"},
        ),
    ],
)
def test_it_says_what_the_estimator_says(sums, beginning, settings):
    ours, theirs = both_say(sums, **settings)
    assert ours.startswith(beginning)
    assert bool(ours) == bool(beginning)
    hint = r"about (\d\.\de[+-]\d\d)\)"
    assert re.sub(hint, "", ours) == re.sub(hint, "", theirs)
    for mine, its in zip(re.findall(hint, ours), re.findall(hint, theirs), strict=True):
        assert_allclose(float(mine), float(its), rtol=0.1)


# ------------------------------------------------------------------- through the page


def choose(browser, name, value):
    Select(at(browser, name)).select_by_value(value)


def type_in(browser, name, value):
    field = at(browser, name)
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys(f"{value}{Keys.TAB}")


ETA = "eta: a number above 0, up to 1000. Left at 0.05."


def test_what_a_field_does_not_take_it_says(page):
    for name, typed, now, takes in [
        ("eta", "0", "0.05", ETA),
        ("eta", "1e999", "0.05", ETA),
        ("momentum", "1", "0.9", "Momentum β: a number from 0 to below 1. Left at 0.9."),
        ("start-0", "1e300", "0", "w: a number from −1e6 to 1e6. Left at 0."),
        ("start-2", "-1,5", "-1.5", ""),
        ("seed", "-1", "0", "Seed: a whole number from 0 to 9999. Left at 0."),
        ("eta", "0,07", "0.07", ""),
    ]:
        set_page(page, {"optimizer": "momentum"})
        type_in(page, name, typed)
        assert at(page, name).get_attribute("value") == now
        assert at(page, "refused").text == takes


def test_the_tutorial_by_hand(page):
    choose(page, "data", "six")
    choose(page, "shuffle", "off")
    type_in(page, "eta", 0.1)
    assert shown(page, "now-w") == "-0.017, -0.048"
    worked = [element.text for element in page.find_elements("css selector", "[data-next]")]
    assert worked == ["0.8294", "0.1636", "0.2116"]
    numbers = at(page, "numbers").text.replace("−", "-")
    assert "p = (-0.017)·4 + (-0.048)·1 + 0 = -0.116" in numbers
    assert "w₁ ← -0.017 - 0.1·(-8.464)" in numbers
    at(page, "step").click()
    assert shown(page, "now-w") == "0.8294, 0.1636"
    assert shown(page, "now-b") == "0.2116"
    assert "step 1: w₁ = 0.8294" in at(page, "live").get_attribute("textContent")
    at(page, "epoch").send_keys(Keys.ENTER)
    assert (shown(page, "now-step"), shown(page, "now-epoch")) == ("6", "1 of 10")
    assert shown(page, "now-w").endswith("-34.78")
    at(page, "back").click()
    at(page, "reset").click()
    assert shown(page, "now-w") == "-0.017, -0.048"


def test_back_undoes_exactly(page):
    """With rules that remember: back to the start, and not further."""
    for optimizer in ("adam", "nesterov"):
        set_page(page, {"data": "noisy", "optimizer": optimizer, "batch": 11}, 1)
        before = state(page)
        for move in ("step", "epoch", "back", "back"):
            at(page, move).click()
        assert state(page) == before
    at(page, "back").click()
    at(page, "back").click()
    assert state(page)["t"] == 0


def test_playing_ends_with_the_sentence(page):
    set_page(page, {"data": "line", "batch": "all", "eta": 0.3, "epochs": 500})
    page.execute_script("arguments[0].value = 7", at(page, "speed"))
    at(page, "speed").send_keys(Keys.ARROW_RIGHT)  # the fastest
    page.execute_script(
        "document.getElementById('speed').dispatchEvent(new Event('input'))"
    )
    at(page, "play").click()
    until(page, lambda _: at(page, "verdict").is_displayed())
    assert re.fullmatch(
        r"Diverged at epoch (\d+), step \1: the loss grows without bound\. Lower "
        r"learning_rate \(largest stable value here is about 1\.6e-01\), .*",
        shown(page, "verdict"),
    )
    assert not state(page)["playing"]
    assert at(page, "play").text == "Play"
    assert "it grows" in at(page, "why").text
    t = state(page)["t"]
    at(page, "step").click()  # refused
    assert state(page)["t"] == t
    at(page, "back").click()
    assert not at(page, "verdict").is_displayed()


def test_playing_stops_after_the_epochs_and_begins_again(page):
    set_page(page, {"data": "line", "eta": 0.01, "epochs": 3})
    page.execute_script(
        "const s = document.getElementById('speed'); s.value = 6;"
        "s.dispatchEvent(new Event('input'))"
    )
    for _ in range(2):
        at(page, "play").click()
        until(page, lambda _: not state(page)["playing"])
        assert state(page)["t"] == 15


SETTINGS = [
    SIX,
    {"data": "noisy", "batch": 7, "seed": 3, "optimizer": "adam", "eta": 0.1},
    {"data": "noisy", "batch": 7, "shuffle": "blocks", "schedule": "cosine", "seed": 5},
    {"data": "houses", "scaling": "standardised", "batch": 8, "optimizer": "momentum"},
    {"data": "measured", "batch": "all", "schedule": "stepdecay", "start": [1, 0, 2]},
    {"data": "line", "batch": 2, "schedule": "linear", "start": [1, 0, 0.5], "rows": 9},
    {"data": "own", "points": [[1, 2], [2.5, 3], [4, -1]], "optimizer": "nesterov"},
    {"data": "six", "axes": "2b", "log": "off", "schedule": "invscaling", "eta": 0.01},
    {"data": "outliers", "optimizer": "auto", "epochs": 1},
]


@pytest.mark.parametrize("settings", SETTINGS[1::3], ids=lambda s: f"{s['data']}-{len(s)}")
def test_a_link_brings_the_view_back(page, settings):
    set_page(page, settings, 5)
    until(page, lambda _: page.current_url.endswith("&t=5"))
    link, before = page.current_url, state(page)
    full = page.execute_script("return explorable.settings()")
    page.get("about:blank")
    page.get(link)
    assert page.execute_script("return explorable.settings()") == full
    assert state(page) == before
    assert page.current_url == link


def test_the_address_waits_for_the_view_to_rest(page):
    written = page.execute_script("""
        window.written = 0;
        const replace = history.replaceState;
        history.replaceState = function (...all) {
            written += 1;
            replace.apply(this, all);
        };
        for (let i = 1; i < 100; i++) explorable.set({eta: i / 1000});
        return written;""")
    assert written == 0
    until(page, lambda _: page.current_url.endswith("eta=0.099"))
    assert page.execute_script("return written") == 1


def test_a_link_that_makes_no_sense_is_the_start(page):
    start = page.execute_script("return settings.complete({})")
    for text in [
        "eta=-1&batch=x&data=none&start=1,2&t=-4",
        "a=b=c&&=",
        "t",
        "start=1e300,0,0",
        "start=,,",
        "optimizer=constructor&epochs=1e999&seed=0.5&%E0%A4%A",
    ]:
        page.get(f"{PAGE}#{text}&eta=nan")
        assert page.execute_script("return explorable.settings()") == start
        assert state(page)["t"] == 0


def test_points_that_leave_little_to_draw(page):
    for points in [
        "0,0",
        "5,2,5,2,5,2",
        "3,1,3,2,3,7",
        "1e6,1e6,-1e6,5",
        "1e6,-1e6,999999,5",
        "1e-300,1,2e-300,1e-300",
    ]:
        page.get(f"{PAGE}#data=own&points={points}&batch=all")
        page.execute_script("""
            document.getElementById("step").click();
            const changes = {scaling: "standardised", optimizer: "adam"};
            for (const [name, value] of Object.entries(changes)) {
                const control = document.getElementById(name);
                control.value = value;
                control.dispatchEvent(new Event("change"));
                document.getElementById("epoch").click();
            }""")
        drawn = at(page, "stage").get_attribute("innerHTML")
        assert not re.search("nan|undefined|Infinity", drawn, re.IGNORECASE)
        page.execute_script("document.querySelector(\"[data-point='0']\").focus()")
        ActionChains(page, duration=10).send_keys(Keys.ARROW_UP).perform()
        assert state(page)["t"] == 0


@pytest.mark.parametrize("settings", SETTINGS[1:], ids=lambda s: f"{s['data']}-{len(s)}")
def test_the_code_ends_with_the_pages_numbers(sums, settings, capsys):
    settings = {"epochs": 4, "eta": 0.005, **settings}
    set_page(sums, settings)
    code = at(sums, "code").get_attribute("textContent")
    assert code == sums.execute_script("return explorable.python(arguments[0])", settings)
    names = {}
    exec(code, names)  # what a reader would do with it
    assert capsys.readouterr().out
    steps = settings["epochs"] * run(sums, settings, 0)["perEpoch"]
    theta = run(sums, settings, steps)["theta"][-1]
    model = names["model"]
    assert_allclose([*model.coef_, model.intercept_], theta, rtol=1e-9, atol=1e-9)


def test_points_of_ones_own(page):
    set_page(page, {"data": "own", "points": [[1, 1], [2, 3], [3, 2]]}, 2)
    points = "return explorable.settings().points"
    page.execute_script("document.querySelector(\"[data-point='0']\").focus()")
    keys = ActionChains(page, duration=10)
    keys.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP).perform()
    moved = page.execute_script(points)
    width = "return document.getElementById('line-picture').viewBox.baseVal.width"
    before = page.execute_script(width)
    look(page, 1300)
    until(page, lambda _: page.execute_script(width) != before)
    assert page.execute_script("return document.activeElement.dataset.point") == "0"
    look(page, 1440)
    until(page, lambda _: page.execute_script(width) == before)
    assert moved[0][0] > 1
    assert moved[0][1] > 1
    assert moved[1:] == [[2, 3], [3, 2]]
    assert state(page)["t"] == 0
    keys.send_keys(Keys.DELETE).perform()
    assert page.execute_script(points) == [[2, 3], [3, 2]]
    picture = at(page, "line-picture")
    ActionChains(page, duration=10).move_to_element_with_offset(
        picture, 30, -70
    ).click().perform()
    assert len(page.execute_script(points)) == 3
    last = page.find_element("css selector", "[data-point='2']")
    before = page.execute_script(points)[2]
    ActionChains(page, duration=10).drag_and_drop_by_offset(last, 40, 30).perform()
    after = page.execute_script(points)[2]
    assert after[0] > before[0]
    assert after[1] < before[1]
    at(page, "add").click()
    type_in(page, "rows", 6)
    assert len(page.execute_script(points)) == 6


def test_what_the_guide_says_is_so(sums):
    """Every stop and try, run to the end of its epochs."""
    script = """return guide.STOPS.map((stop, k) => stop.tries.map(([, changes]) => {
        const r = run.begin(guide.settingsOf(k, changes));
        while (r.steps.length < r.last && run.advance(r));
        const late = r.states.slice(-5 * r.perEpoch).map((s) => s.objective - r.bowl.least);
        return {over: (run.state(r).objective - r.bowl.least) / r.states[0].objective,
                late: late.reduce((sum, v) => sum + v) / late.length,
                verdict: run.verdict(r), steps: r.steps.length};
    }))"""
    hand, batches, long, scaled, momentum, schedule, order, knobs = sums.execute_script(
        script
    )
    assert hand[0]["verdict"].startswith("Diverged")
    assert [hand[1]["verdict"], hand[1]["over"] < 0.05] == ["", True]
    assert [b["steps"] for b in batches] == [300, 50, 10]
    assert [t["verdict"][:8] for t in long] == ["", "", "Diverged"]
    assert long[1]["over"] < 0.02
    raw, too_long, standardised = scaled
    assert raw["over"] > 1e4 * abs(standardised["over"])
    assert too_long["verdict"].startswith("Diverged")
    assert momentum[0]["over"] > 3 * max(m["over"] for m in momentum[1:3])
    assert schedule[0]["over"] > 5 * max(s["over"] for s in schedule[2:])
    given, blocks, rows = (o["late"] for o in order)
    assert given > 10 * blocks > 20 * rows
    assert all(abs(k["over"]) < 1e-12 and k["steps"] == 1 for k in knobs)


def test_every_stop_and_try_can_be_pressed(page):
    page.find_element("css selector", "[data-stop='7']").click()
    assert page.execute_script("return explorable.settings().optimizer") == "auto"
    page.execute_script("""
        for (const stop of document.querySelectorAll("[data-stop]")) {
            stop.click();
            document.querySelectorAll("[data-try]").forEach((button) => button.click());
        }""")
    page.find_element("css selector", "[data-try='0']").click()
    current = page.find_element("css selector", "[aria-current='step']")
    assert current.text == "8 No knobs"
    assert state(page)["t"] == 1
    pressed = "[aria-pressed='true']"
    assert page.find_element("css selector", pressed).text == "One Newton step"
    choose(page, "data", "line")
    assert page.find_elements("css selector", pressed) == []


# ----------------------------------------------------------------------- for everybody


def test_the_keyboard_reaches_every_control(page):
    set_page(page, {"data": "own", "schedule": "invscaling", "optimizer": "momentum"})
    page.execute_script("""
        window.met = new Set();
        document.activeElement.blur();
        addEventListener("focusin", (event) => met.add(event.target));""")
    ActionChains(page, duration=10).send_keys(*[Keys.TAB] * 70).perform()
    missed = page.execute_script("""
        const controls = "a[href], button, input, select, summary, [tabindex='0']";
        return [...document.querySelectorAll(controls)]
            .filter((e) => e.checkVisibility() && !e.disabled && !met.has(e))
            .map((e) => e.outerHTML)""")
    assert missed == []
    assert page.execute_script("return met.size") > 30


def test_keys_outside_of_the_controls(page):
    set_page(page, SIX)
    page.execute_script("document.getElementById('stage').focus()")
    keys = ActionChains(page, duration=10)
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert state(page)["t"] == 1
    keys.key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
    assert state(page)["t"] == 6
    keys.send_keys(Keys.ARROW_LEFT).perform()
    assert state(page)["t"] == 5
    keys.send_keys(Keys.ARROW_UP, Keys.HOME).perform()  # these scroll
    assert state(page)["t"] == 5
    keys.send_keys(Keys.SPACE).perform()
    assert state(page)["playing"]
    keys.send_keys(Keys.SPACE).perform()
    assert not state(page)["playing"]
    keys.key_down(Keys.SHIFT).send_keys(Keys.ARROW_LEFT).key_up(Keys.SHIFT).perform()
    assert state(page)["t"] == 0


def test_every_control_and_picture_has_a_name(page):
    unnamed = page.execute_script("""
        const nameOf = (e) => e.labels?.length || e.getAttribute("aria-label") ||
            (e.matches("button") && e.textContent.trim());
        return [...document.querySelectorAll("button, input, select")]
            .filter((e) => !nameOf(e)).map((e) => e.outerHTML)""")
    assert unnamed == []
    for name in ("line", "bowl", "loss"):
        words = at(page, f"{name}-words").get_attribute("textContent")
        assert words.startswith("Epoch 0, step 0: ")
    assert words.endswith("The minimum is 0.")
    names = [
        node["name"].get("value")
        for node in page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        if node["role"]["value"] in ("columnheader", "image") and not node["ignored"]
    ]
    assert "λ" in names
    assert "The objective over two parameters, and the path" in names
    assert all(names)


def test_forced_colours_keep_what_colours_tell(page):
    media = {"features": [{"name": "forced-colors", "value": "active"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    colour = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    card, *others = (
        page.execute_script(colour, selector)
        for selector in (".card", ".key.dots", ".key.whole", "[aria-current='step']")
    )
    assert card not in others
    assert len(set(others)) == 3


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page, scheme):
    other = "dark" if scheme == "light" else "light"
    look(page, 1440, scheme)
    read = """
        const style = getComputedStyle(document.documentElement);
        const read = (name) => style.getPropertyValue(name);
        return arguments[0].map((pair) => pair.map(read))"""
    ground = "return getComputedStyle(document.body).backgroundColor"
    system = page.execute_script(ground)
    pairs = [("--on-strong", "--strong")]
    text = ["--ink", "--soft", "--model", "--batch", "--good"]
    pairs += itertools.product(text, ["--card", "--paper"])
    for pair, colours in zip(pairs, page.execute_script(read, pairs), strict=True):
        dark, light = sorted(map(luminance, colours))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, pair
    look(page, 1440, other)
    assert page.execute_script(ground) != system
    while at(page, "theme").text != f"Colours: {scheme}":
        at(page, "theme").click()
    assert page.execute_script(ground) == system


def test_nothing_is_wider_than_the_window(page):
    choices = (SIX, {"data": "own", "eta": 0.3, "batch": 2, "optimizer": "nesterov"})
    for width, settings in itertools.product((320, 801, 1280), choices):
        look(page, width)
        set_page(page, settings, 9)
        wide = page.execute_script("return document.documentElement.scrollWidth")
        assert wide == width


def test_on_a_telephone(page):
    look(page, 375)
    page.refresh()
    page.execute_script("document.getElementById('settings').open = true")
    for settings in (SIX, {"data": "noisy", "optimizer": "adam", "batch": 8}):
        set_page(page, settings, 40)
        assert page.execute_script("return document.documentElement.scrollWidth") == 375
    small = page.execute_script("""
        return [...document.querySelectorAll("button, select, input, summary")]
            .filter((e) => e.checkVisibility())
            .map((e) => e.type === "checkbox" ? e.closest("label") : e)
            .filter((e) => e.getBoundingClientRect().height < 40)
            .map((e) => e.outerHTML)""")
    assert small == []


def test_much_of_it_fits_a_desktop(page):
    set_page(page, {"data": "noisy", "rows": 100, "batch": 4, "eta": 0.3}, 500)
    wide = """return [...document.querySelectorAll(".wide")]
        .filter((e) => e.scrollWidth > e.clientWidth).length"""
    assert page.execute_script(wide) == 0
    box = page.execute_script("""
        return ["numbers", "why"]
            .map((id) => document.getElementById(id).getBoundingClientRect())
            .map(({top, right}) => [top, right])""")
    assert all(top < 650 and right <= 1440 for top, right in box)


# -------------------------------------------------------------------------- one file


def load_bundle():
    spec = importlib.util.spec_from_file_location("bundle", FOLDER / "bundle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.bundle


def test_as_one_file(page, tmp_path):
    text = load_bundle()(FOLDER)
    assert re.findall(r'\s(?:src|href)="(?!#|data:,)(.*?)"', text) == ["../index.html"]
    assert not re.search(r'https?://|@import|url\((?!#)|\beval\(|\son\w+="', text)
    path = tmp_path / "index.html"
    path.write_text(text, encoding="utf-8")
    page.get(path.as_uri())
    set_page(page, SIX)
    at(page, "step").click()
    assert shown(page, "now-b") == "0.2116"
    assert at(page, "home").is_displayed()
    page.get(PAGE)  # in its folder the footer links nowhere
    assert not at(page, "home").is_displayed()
    assert "../index.html" not in load_bundle()(FOLDER, home=None)


def test_scripts_are_short_and_all_in_use():
    names = re.findall(r'<script src="(.*?)"', (FOLDER / "index.html").read_text("utf-8"))
    assert sorted(names) == sorted(path.name for path in FOLDER.glob("*.js"))
    for path in FOLDER.iterdir():
        if path.is_file():
            assert len(path.read_text("utf-8").splitlines()) <= 300, path.name
