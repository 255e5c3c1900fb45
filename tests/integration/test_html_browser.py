"""The HTML report in a real browser: nothing blocked, nothing fetched, readable, usable by keys."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.unit.paging import findings, hostile_run, usual_run

from steelyard.cli.report import command
from steelyard.report.html import drawing, page
from steelyard.report.html.types import Axis, Line, Plot, Point

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
for library in ("altair", "jinja2", "vl_convert"):
    pytest.importorskip(library, reason="the extra `report` is not installed")

RESULTS = Path(__file__).resolve().parents[2] / "results"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# WCAG 2.2, 1.4.3 (text) and 1.4.11 (marks and focus).
TEXT, MARKS = 4.5, 3.0


class Opened:
    """A page with all that the browser complained of or asked for since it was opened."""

    def __init__(self, tab: Any, file: Path) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        self.requests: list[str] = []
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.add_init_script(
            "window.violations = []; addEventListener('securitypolicyviolation', "
            "(event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));"
        )
        tab.goto(file.as_uri())

    def ask(self, script: str, *given: object) -> Any:
        return self.tab.evaluate(script, *given)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    profile = tmp_path_factory.mktemp("profile")
    with playwright.sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            str(profile), executable_path=found, headless=True, args=FLAGS, timeout=300_000
        )
        context.set_default_timeout(120_000)
        yield context
        context.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("hostile") / "report.html"
    file.write_text(page.html(findings(hostile_run(), usual_run())), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (RESULTS / "default").is_dir():
        pytest.skip("results/ is not beside an installed wheel's tests")
    file = tmp_path_factory.mktemp("published") / "report.html"
    folders = [str(RESULTS / name) for name in ("default", "parents")]
    done = CliRunner().invoke(command, [*folders, "-f", "html", "-o", str(file)])
    assert done.exit_code == 0, done.output
    return file


@pytest.fixture(params=["hostile", "published"])
def opened(request: pytest.FixtureRequest, browser: Any) -> Generator[Opened]:
    made = Opened(browser.new_page(), request.getfixturevalue(request.param))
    made.tab.set_viewport_size({"width": 1280, "height": 800})
    yield made
    made.tab.close()


def test_nothing_is_complained_of_blocked_or_fetched(opened: Opened) -> None:
    # All that moves is used once, so that what only fails in use fails here.
    opened.ask("document.querySelectorAll('details').forEach((one) => one.open = true)")
    opened.tab.locator(".grid th button").first.click()
    opened.tab.locator(".filter").first.fill("a")
    opened.tab.locator(".filter").first.fill("")
    opened.tab.locator(".point").first.hover()
    opened.ask("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")

    assert opened.complaints == []
    assert opened.ask("window.violations") == []
    assert opened.requests == [opened.tab.url]
    assert opened.ask("performance.getEntriesByType('resource').length") == 0


def test_no_script_of_a_record_runs_and_none_that_is_put_in_later(opened: Opened) -> None:
    assert opened.ask("document.scripts.length") == 1
    assert opened.ask("document.images.length") == 0
    refused = opened.ask(
        """() => {
            const tries = [
              () => document.createElement('button').setAttribute('onclick', 'window.ran = 1'),
              () => { document.body.innerHTML += '<img src=x onerror="window.ran = 1">'; },
              () => { document.createElement('script').textContent = 'window.ran = 1'; },
            ];
            return tries.map((attempt) => { try { attempt(); return 'done'; }
              catch (error) { return error.name; } });
        }"""
    )

    assert refused == ["TypeError"] * 3
    assert opened.ask("window.ran") is None


def test_plots_are_drawn_with_marks_bars_axes_and_names(opened: Opened) -> None:
    figures = opened.ask(
        """() => [...document.querySelectorAll('section.task figure')].map((figure) => ({
            points: [...figure.querySelectorAll('.point')].filter((one) => {
              const box = one.getBoundingClientRect();
              return box.width > 4 && box.height > 4;
            }).length,
            bars: [...figure.querySelectorAll('line[data-key]')].filter((one) => {
              const box = one.getBoundingClientRect();
              return box.width + box.height > 1;
            }).length,
            words: figure.querySelectorAll('svg text').length,
            ticks: [...figure.querySelectorAll('svg text')].filter(
              (one) => /^[\\d.]+(ns|µs|ms|s|kB|MB|GB|B)$/.test(one.textContent)).length,
            width: figure.querySelector('svg').getBoundingClientRect().width,
            told: figure.querySelector('[role=group]').getAttribute('aria-label').length,
        }))"""
    )

    assert len(figures) >= 2
    for figure in figures:
        assert figure["points"] >= 2
        assert figure["bars"] >= 1
        assert figure["ticks"] >= 2
        assert figure["words"] > figure["ticks"]
        assert figure["width"] > 250
        assert figure["told"] > 80


def test_roles_differ_in_shape_and_not_in_colour_alone(opened: Opened) -> None:
    shapes = opened.ask(
        """() => { const found = {}; for (const one of document.querySelectorAll('.point')) {
            const path = one.matches('path') ? one : one.querySelector('path');
            (found[one.dataset.role] ??= new Set()).add(path.getAttribute('d')); }
            return Object.fromEntries(Object.entries(found).map(([k, v]) => [k, [...v]])); }"""
    )

    assert {"specialist", "generalist"} <= set(shapes)
    assert all(len(paths) == 1 for paths in shapes.values())
    assert len({paths[0] for paths in shapes.values()}) == len(shapes)


def column(opened: Opened, title: str) -> list[str]:
    values: list[str] = opened.ask(
        """(title) => [...document.querySelectorAll('section.task')].at(-1).querySelectorAll(
            `td[data-title="${title}"]`).values().map((one) => one.dataset.value).toArray()""",
        title,
    )
    return values


def last_task(opened: Opened) -> Any:
    return opened.tab.locator("section.task").last


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_a_column_is_sorted_up_and_down_with_what_is_absent_last(opened: Opened, by: str) -> None:
    for title in ("p50", "memory", "model"):
        heading = last_task(opened).locator(f'th:has(button:text-matches("^{title}"))').first
        for direction in ("ascending", "descending"):
            button = heading.locator("button")
            button.click() if by == "mouse" else button.press("Enter")
            assert heading.get_attribute("aria-sort") == direction
            present = [value for value in column(opened, title) if value]
            key = str.casefold if title == "model" else float
            expected = sorted(present, key=key, reverse=direction == "descending")
            assert [key(v) for v in present] == [key(v) for v in expected]
            assert column(opened, title)[: len(present)] == present
    assert (
        last_task(opened).locator('[aria-sort="ascending"], [aria-sort="descending"]').count() == 1
    )


def test_rows_are_filtered_by_words_and_by_role_and_the_plots_follow(opened: Opened) -> None:
    task = last_task(opened)
    rows, told = task.locator("tbody tr[data-role]:visible"), task.locator("output")
    every = rows.count()
    large = task.locator('tr[data-role="generalist"]').count()

    task.locator(".filter").fill("generalist")
    assert rows.count() == large
    assert told.inner_text() == f"{large} of {every} rows"
    assert task.locator('.point[data-role="generalist"]:not(.off)').count() > 0
    assert task.locator('.point[data-role="specialist"]:not(.off)').count() == 0

    task.locator(".filter").fill("no such model")
    assert told.inner_text() == f"0 of {every} rows"
    task.locator(".filter").fill("")
    assert rows.count() == every

    toggle = task.locator('.toggle[data-role="generalist"]')
    toggle.press("Space")
    assert toggle.get_attribute("aria-pressed") == "false"
    assert rows.count() == every - large
    toggle.press("Space")
    assert rows.count() == every


def test_all_can_be_reached_by_the_tabulator_in_the_order_of_the_page(opened: Opened) -> None:
    stops = opened.ask(
        """() => [...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
            .filter((one) => one.checkVisibility({visibilityProperty: true,
              contentVisibilityAuto: true}))
            .map((one, index) => { one.dataset.stop = index; return index; })"""
    )
    opened.tab.locator("body").press("Tab")
    reached: list[int] = []
    invisible: list[str] = []
    for _ in stops:
        stop, mark = opened.ask(
            """() => { const one = document.activeElement, look = getComputedStyle(one);
                const seen = one.matches('.point')
                  ? parseFloat(look.strokeWidth) >= 2
                  : look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
                const name = one.outerHTML.slice(0, 80);
                return [Number(one.dataset.stop ?? -1), seen ? '' : name]; }"""
        )
        reached.append(stop)
        invisible.extend([mark] if mark else [])
        opened.tab.keyboard.press("Tab")

    assert invisible == []
    assert reached == stops


def test_arrow_keys_go_from_point_to_point_and_tell_each_one(opened: Opened) -> None:
    figure = opened.tab.locator("section.task figure").first
    points, tip = figure.locator(".point"), opened.tab.locator("#tip")
    assert tip.is_hidden()
    points.first.focus()
    for index in range(points.count()):
        point = points.nth(index)
        assert point.evaluate("(one) => one === document.activeElement")
        assert tip.is_visible()
        assert tip.inner_text() == point.get_attribute("aria-label")
        assert opened.tab.locator("tr.lit").count() == 1
        opened.tab.keyboard.press("ArrowRight")
    assert points.first.evaluate("(one) => one === document.activeElement")
    opened.tab.keyboard.press("Escape")
    assert tip.is_hidden()


CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_stand_out_from_what_is_behind_them(opened: Opened, scheme: str) -> None:
    opened.tab.emulate_media(color_scheme=scheme)
    opened.ask("document.querySelectorAll('details').forEach((one) => one.open = true)")
    opened.tab.locator(".point").first.hover()
    found = opened.ask(CONTRASTS)

    kinds = {one["kind"] for one in found}
    assert kinds == {"text", "mark"}
    weak = [one for one in found if one["contrast"] < (TEXT if one["kind"] == "text" else MARKS)]
    assert weak == []
    dark_paper = opened.ask("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 27)"
    assert dark_paper == (scheme == "dark")


@pytest.mark.parametrize("width", [320, 360, 400])
def test_the_page_never_scrolls_sideways_on_a_phone(opened: Opened, width: int) -> None:
    opened.tab.set_viewport_size({"width": width, "height": 740})
    opened.ask("document.querySelectorAll('details').forEach((one) => one.open = true)")

    assert opened.ask("document.documentElement.scrollWidth") == width
    cut = opened.ask(
        """(width) => [...document.querySelectorAll('.grid td, h1, h2, h3, p, .badge')].filter(
            (one) => !one.closest('.scroll:not(:has(.grid))') && !one.matches('.unseen') &&
              one.getBoundingClientRect().right > width + 1
          ).map((one) => one.outerHTML.slice(0, 90))""",
        width,
    )
    assert cut == []
    letters = opened.ask(
        """() => Math.min(...[...document.querySelectorAll('svg text')].map(
            (one) => one.getBoundingClientRect().height).filter((height) => height > 0))"""
    )
    assert letters >= 9


def test_the_first_screen_tells_what_holds_and_what_was_not_tested(opened: Opened) -> None:
    for width, height in ((1280, 800), (360, 740)):
        opened.tab.set_viewport_size({"width": width, "height": height})
        lowest = opened.ask("document.querySelector('.summary').getBoundingClientRect().bottom")
        first = opened.ask(
            "document.querySelector('.claims li summary').getBoundingClientRect().top"
        )
        if "published" in str(opened.tab.url):
            assert lowest < height
            assert first < height
    standings = opened.tab.locator(".summary .badge").all_inner_texts()
    assert [re.sub(r"^\W+", "", text) for text in standings] == [
        "supported",
        "refuted",
        "undecided",
        "not tested",
    ]


def test_on_paper_claims_come_first_and_what_is_folded_is_unfolded(
    opened: Opened, tmp_path: Path
) -> None:
    claims = opened.tab.locator(".claims li").count()
    opened.ask("dispatchEvent(new Event('beforeprint'))")
    assert opened.tab.locator("#evidence > h3").count() == claims
    assert opened.tab.locator("details:not([open]):not(.folded, .claims *)").count() == 0
    assert opened.tab.locator(".claims details[open]").count() == 0
    opened.ask("dispatchEvent(new Event('afterprint'))")
    assert opened.tab.locator("details[open]").count() == 0
    assert opened.tab.locator("#evidence").is_hidden()
    assert opened.tab.locator("#evidence > *").count() == 1

    sheet = tmp_path / "report.pdf"
    opened.tab.pdf(path=str(sheet), format="A4")
    assert sheet.read_bytes().startswith(b"%PDF")


def test_without_scripts_all_is_there_and_no_dead_tool_is_shown(
    browser: Any, hostile: Path
) -> None:
    with (
        browser.browser.new_context(java_script_enabled=False) if browser.browser else browser as c
    ):
        if c is browser:
            pytest.skip("this browser opens no second context")
        tab = c.new_page()
        tab.goto(hostile.as_uri())
        assert tab.locator(".tools:visible").count() == 0
        assert tab.locator(".point").count() > 0


def test_the_published_report_is_no_burden(published: Path) -> None:
    assert published.stat().st_size < 3_000_000
    assert os.linesep in published.read_text(encoding="utf-8")


def test_a_plot_of_one_point_and_no_interval_is_drawn() -> None:
    one = Point(name="a", role="specialist", x=1.0, y=0.5, text="a")
    line = Line(name="l", role="generalist", x=(1.0, 2.0), y=(0.5, 0.6))
    plot = Plot(
        title="t",
        sentence="s",
        x=Axis(title="x", low=0.5, high=2.0, scale="log"),
        y=Axis(title="y", low=0.0, high=1.0),
        points=(one,),
        lines=(line,),
    )

    drawn = drawing.draw(plot)

    assert drawn.count('class="point"') == 1
    assert ">a</text>" in drawn
    assert drawn == drawing.draw(plot)
