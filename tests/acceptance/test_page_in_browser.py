"""The page of a meeting in a real browser: what people see, find and reach, and that nothing hostile runs."""

import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from helpers import page_samples
from helpers.browser import CHROMIUM, NAMES, launched
from helpers.page_samples import row, translation
from playwright.async_api import Browser, FloatRect, Page, async_playwright

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=f"no browser on the PATH: {', '.join(NAMES)}"),
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all of them
]

DESKTOP = (1280, 900)
LAPTOP = (1366, 650)
PHONE = (390, 844)
PHONE_ON_ITS_SIDE = (844, 390)

Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await launched(playwright)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module")
async def opened(browser: Browser, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a page; at the end, nothing may have gone wrong in it, and nothing may have been fetched."""
    complaints: list[str] = []
    requested: list[str] = []
    file = tmp_path / "meeting.html"

    async def open_page(
        html: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False, at: str = ""
    ) -> Page:
        file.write_text(html, encoding="utf-8")
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
        )
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        await page.goto(f"{file.as_uri()}{at}")
        return page

    yield open_page
    for context in browser.contexts:
        await context.close()
    assert complaints == []
    assert {url.partition("#")[0] for url in requested} == {file.as_uri()}


async def marked(page: Page) -> list[str]:
    """The texts that are highlighted, in the order of the page."""
    texts: list[str] = await page.evaluate(
        "[...(CSS.highlights.get('found') ?? [])].map((each) =>"
        " each.startContainer.data.slice(each.startOffset, each.endOffset))"
    )
    return texts


async def line_at_the_top(page: Page) -> str:
    """The time of the line that comes out from under the controls, once the page has settled."""
    await page.evaluate(
        "new Promise((done) => { let left = 12;"
        " const next = () => left-- ? requestAnimationFrame(next) : done(); next(); })"
    )
    time: str = await page.evaluate(
        "document.elementFromPoint(innerWidth / 2, document.getElementById('controls')"
        ".getBoundingClientRect().bottom + 8).closest('li').dataset.t"
    )
    return time


async def test_search_finds_and_highlights_in_every_language_without_case_and_accents(opened: Open) -> None:
    rows = [
        row("The Café is open.", 1, 2, translations=[translation("El CAFE\u0301 está abierto.")]),
        row("Nothing here.", 3, 4, translations=[translation("浸水した閲覧室", "ja")]),
        row("Straße, ﬁne.", 5, 6, translations=[translation("صَبَاح الخير", "ar")]),
        row("がく and かく", 7, 8, translations=[None]),
    ]
    page = await opened(page_samples.page(rows, ["es"]))
    found = page.locator("#found")
    for query, expected, count in (
        ("cafe", ["Café", "CAFE\u0301"], "1 found"),
        ("ÉST", ["est"], "1 found"),
        ("閲覧", ["閲覧"], "1 found"),
        ("水", ["水"], "1 found"),
        ("STRASSE", ["Straße"], "1 found"),
        ("fin", ["ﬁn"], "1 found"),
        ("صباح", ["صَبَاح"], "1 found"),
        ("か", ["か"], "1 found"),
        ("か\u3099", ["が"], "1 found"),
        ("is  ", ["is"], "1 found"),
        ("zzz", [], "no match"),
        ("\u0301", [], ""),
        ("", [], ""),
    ):
        await page.fill("#query", query)
        assert await marked(page) == expected, query
        assert await found.text_content() == count, query


async def test_search_goes_from_match_to_match_and_round(opened: Open) -> None:
    rows = [row("word" if place % 10 == 3 else "other", place * 10, place * 10 + 5) for place in range(60)]
    page = await opened(page_samples.page(rows))
    await page.fill("#query", "WORD")
    seen = []
    for key in ("Enter", "Enter", "Shift+Enter", "Shift+Enter"):
        await page.press("#query", key)
        seen.append((await line_at_the_top(page), await page.text_content("#found")))
    assert seen == [("30", "1 of 6"), ("130", "2 of 6"), ("30", "1 of 6"), ("530", "6 of 6")]
    assert (await page.get_attribute("#hits", "d") or "").count("M") == 6
    await page.press("#query", "Escape")
    assert await marked(page) == []


async def test_a_hidden_language_is_neither_shown_nor_found(opened: Open) -> None:
    page = await opened(page_samples.page([row("one", 0, 1, translations=[translation("dos")])], ["es"]))
    await page.fill("#query", "dos")
    assert await marked(page) == ["dos"]
    await page.get_by_role("checkbox", name="Spanish").uncheck()
    assert await marked(page) == []
    assert not await page.get_by_text("dos").is_visible()
    await page.get_by_role("checkbox", name="Spanish").check()
    assert await marked(page) == ["dos"]


async def test_a_link_opens_the_page_at_its_moment(opened: Open) -> None:
    page = await opened(page_samples.sample_page(), at="#t=301.5")
    assert await line_at_the_top(page) == "298.27"
    assert await page.evaluate("document.activeElement.dataset.t") == "298.27"
    # And so does a link that is followed within the page.
    await page.evaluate("location.hash = '#t=60'")
    assert 50 < float(await line_at_the_top(page)) <= 60


async def test_a_click_on_the_lanes_goes_there_and_makes_a_link(opened: Open) -> None:
    page = await opened(page_samples.sample_page())
    box = await page.locator("#lanes .over").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    top = await line_at_the_top(page)
    assert 290 < float(top) < 300
    assert page.url.endswith(f"#t={top}")
    assert await page.get_attribute("#lanes", "aria-valuenow") == top


async def test_the_lanes_and_the_lines_are_reached_by_keyboard(opened: Open) -> None:
    page = await opened(page_samples.page([row("word", place * 30, place * 30 + 5) for place in range(40)]))
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "query"
    lanes = page.get_by_role("slider", name="Position in the meeting")
    await lanes.focus()
    reached = []
    for key in ("End", "ArrowLeft", "Home", "ArrowRight", "PageUp", "ArrowUp", "PageDown"):
        await lanes.press(key)
        reached.append(await lanes.get_attribute("aria-valuenow"))
    assert reached == ["1170", "1140", "0", "30", "90", "120", "60"]
    assert await lanes.get_attribute("aria-valuetext") == "1:00"
    await page.locator("li.line").nth(2).focus()
    for key in ("j", "j", "k"):
        await page.keyboard.press(key)
    assert await page.evaluate("document.activeElement.dataset.t") == "90"


async def test_scrolling_shows_on_the_lanes_where_the_reader_is(opened: Open) -> None:
    page = await opened(page_samples.sample_page())
    await page.evaluate("scrollTo({ top: 4000, behavior: 'instant' })")
    top = await line_at_the_top(page)
    assert float(top) > 60
    assert abs(float(await page.get_attribute("#lanes", "aria-valuenow") or 0) - float(top)) < 10


async def test_a_meeting_of_five_hours_opens_searches_and_jumps_quickly(opened: Open) -> None:
    page = await opened(page_samples.long_page())
    loaded = await page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert loaded < 6000  # milliseconds; 0.9 s on an idle machine
    seconds = await page.evaluate(
        "(() => { const query = document.getElementById('query'); query.value = 'a'; const before ="
        " performance.now(); query.dispatchEvent(new Event('input'));"
        " return (performance.now() - before) / 1000; })()"
    )
    assert seconds < 5  # 0.6 s on an idle machine, tens of thousands of places included
    # Also where the browser does not keep the reader's place while lines get their real height.
    await page.evaluate("document.documentElement.style.overflowAnchor = 'none'")
    for second in ("9000", "17001", "198"):
        await page.evaluate(f"location.hash = '#t={second}'")
        assert await line_at_the_top(page) == second
    await page.fill("#query", "(3999)")
    await page.press("#query", "Enter")
    assert float(await line_at_the_top(page)) == pytest.approx(17995.5)


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style></title><svg onload=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "{{ 7 * 7 }} {% raw %} ${alert(1)} `",
    "<!-- <script> ]]> &lt;b&gt; &amp;amp;",
    "javascript:alert(1)",
    "\u202e right to left override \u2066",
    "\x0c\x0b\x1b[31m lines\r\n\u2028\u2029",
)


async def test_hostile_text_is_text_wherever_it_stands(opened: Open) -> None:
    for hostile in HOSTILE:
        rows = [row(hostile, 0, 9, label=hostile, name=hostile, translations=[translation(hostile)])]
        page = await opened(page_samples.page(rows, ["es"], title=hostile))
        assert await page.locator("script").count() == 1
        assert await page.locator("img, iframe, object, base, form[action]").count() == 0
        shown = await page.eval_on_selector_all("li p[lang]", "all => all.map((each) => each.textContent)")
        assert shown == [hostile.replace("\r\n", "\n")] * 2
        handlers = await page.evaluate(
            "[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())"
            ".filter((name) => name.startsWith('on'))"
        )
        assert handlers == []


async def test_the_policy_forbids_what_the_page_does_not_need(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content(page_samples.sample_page())
    # Some browsers report a handler when it is set, others when it would run: hence the click.
    refused = await page.evaluate(
        "new Promise((done) => { const seen = new Set(); setTimeout(() => done([...seen]), 5000);"
        " addEventListener('securitypolicyviolation', (event) => {"
        " seen.add(event.effectiveDirective); if (seen.size === 3) done([...seen].sort()); });"
        " const script = document.createElement('script'); script.textContent = 'window.ran = true';"
        " document.body.append(script);"
        " document.body.setAttribute('onclick', 'window.ran = true'); document.body.click();"
        " const image = new Image(); image.src = 'https://example.invalid/'; document.body.append(image); })"
    )
    assert refused == ["img-src", "script-src-attr", "script-src-elem"]
    assert await page.evaluate("window.ran") is None
    await page.close()


async def test_no_width_makes_the_page_scroll_sideways(opened: Open) -> None:
    rows = [row("x" * 400, 0, 9, name="n" * 200, translations=[translation("y" * 400)])]
    for html in (page_samples.sample_page(), page_samples.page(rows, ["es"], title="t" * 300)):
        for size in ((320, 640), PHONE, (820, 1180), DESKTOP):
            page = await opened(html, size=size)
            assert await page.evaluate("document.documentElement.scrollWidth") == size[0]


async def test_right_to_left_text_runs_from_the_right(opened: Open) -> None:
    rows = [row("Good morning", 0, 1, translations=[translation("صباح الخير", "ar")])]
    page = await opened(page_samples.page(rows, ["ar"]))
    directions = await page.eval_on_selector_all(
        "li p[lang]", "all => all.map((each) => getComputedStyle(each).direction)"
    )
    assert directions == ["ltr", "rtl"]


async def box(page: Page, selector: str) -> FloatRect:
    found = await page.locator(selector).bounding_box()
    assert found is not None
    return found


async def test_matches_are_marked_below_the_lanes_and_stay_while_the_speakers_scroll(opened: Open) -> None:
    page = await opened(page_samples.crowded_page(), size=LAPTOP)
    await page.fill("#query", "for")
    before = [await box(page, each) for each in ("svg.hits", "#head", "svg.axis")]
    rows = await box(page, ".rows")
    assert before[0]["y"] >= rows["y"] + rows["height"]
    assert before[1]["y"] <= rows["y"]
    assert before[1]["y"] + before[1]["height"] >= before[0]["y"] + before[0]["height"]
    await page.locator(".rows").evaluate("(rows) => { rows.scrollTop = rows.scrollHeight; }")
    assert [await box(page, each) for each in ("svg.hits", "#head", "svg.axis")] == before


@pytest.mark.parametrize("size", [LAPTOP, (1440, 900), PHONE])
async def test_every_speaker_is_reached_and_the_marks_share_one_axis(
    opened: Open, size: tuple[int, int]
) -> None:
    page = await opened(page_samples.crowded_page(), size=size)
    await page.evaluate("scrollTo(0, document.getElementById('transcript').offsetTop)")
    rows = await box(page, ".rows")
    last = page.locator(".lane").last
    await last.evaluate("(lane) => lane.scrollIntoView({ block: 'nearest' })")
    lane = await last.bounding_box()
    assert lane is not None
    assert rows["y"] <= lane["y"] + 1
    assert lane["y"] + lane["height"] <= rows["y"] + rows["height"] + 1
    # Whatever room a scroll bar takes.
    edges = await page.evaluate(
        "[...document.querySelectorAll('.lane svg, .grid, .hits, .axis, .over')].map((each) =>"
        " { const { left, right } = each.getBoundingClientRect(); return `${left} ${right}`; })"
    )
    assert len(set(edges)) == 1


async def test_all_of_twelve_speakers_are_in_sight_on_a_desktop(opened: Open) -> None:
    page = await opened(page_samples.crowded_page(), size=(1440, 900))
    assert await page.locator(".rows").evaluate("(rows) => rows.scrollHeight <= rows.clientHeight")


@pytest.mark.parametrize("size", [DESKTOP, LAPTOP, PHONE, PHONE_ON_ITS_SIDE])
async def test_the_controls_leave_most_of_the_screen_to_the_transcript(
    opened: Open, size: tuple[int, int]
) -> None:
    page = await opened(page_samples.crowded_page(speakers=40), size=size)
    assert (await box(page, "#controls"))["height"] <= 0.42 * size[1]


@pytest.mark.parametrize("size", [(320, 640), DESKTOP])
@pytest.mark.parametrize("length", [50.0, 59.9, 61.0, 3601.0, 10_806.0, 18_000.0])
async def test_labels_of_the_axis_are_whole_and_apart(
    opened: Open, length: float, size: tuple[int, int]
) -> None:
    page = await opened(page_samples.page([row("a", 0, 1), row("b", 1, length)]), size=size)
    axis = await box(page, "svg.axis")
    labels = await page.eval_on_selector_all(
        ".axis text",
        "all => all.map((each) => each.getBoundingClientRect()).filter(({ width }) => width)"
        ".map(({ left, right }) => [left, right])",
    )
    assert labels[0][0] >= axis["x"] - 1
    assert labels[-1][1] <= axis["x"] + axis["width"] + 1
    assert all(one[1] < other[0] for one, other in itertools.pairwise(labels))


async def test_few_speakers_are_shown_by_share_and_the_rest_on_demand(opened: Open) -> None:
    page = await opened(page_samples.crowded_page())
    shares = page.locator(".card", has_text="Talk share").locator("li")
    assert [await each.is_visible() for each in await shares.all()] == [True] * 5 + [False] * 7
    await page.get_by_text("and 7 more").click()
    assert await shares.last.is_visible()
    page = await opened(page_samples.crowded_page(speakers=6))
    assert await page.locator("details").count() == 0


async def test_paper_shows_every_speaker(opened: Open) -> None:
    page = await opened(page_samples.crowded_page())
    await page.emulate_media(media="print")
    assert (await box(page, "details li:last-child"))["height"] > 0
    assert await page.locator(".rows").evaluate("(rows) => rows.scrollHeight <= rows.clientHeight")


async def test_the_name_of_a_column_begins_where_its_texts_begin(opened: Open) -> None:
    rows = [
        row("first", 0, 1, translations=[None, translation("uno")]),
        row("then", 1, 2, translations=[translation("שלום", "he"), None]),
    ]
    page = await opened(page_samples.page(rows, ["he", "es"], title="ישיבה"))
    directions = await page.eval_on_selector_all(
        "#names > span:not(:first-child)", "all => all.map((each) => getComputedStyle(each).direction)"
    )
    assert directions == ["ltr", "rtl", "ltr"]
    assert (await box(page, "h1 bdi"))["x"] == (await box(page, ".facts > :first-child"))["x"]


async def test_hiding_a_column_keeps_the_place(opened: Open) -> None:
    page = await opened(page_samples.crowded_page(hours=1), at="#t=1800")
    place = await line_at_the_top(page)
    for name in ("Spanish", "Hebrew", "German", "Hebrew"):
        await page.get_by_role("checkbox", name=name).click()
        assert await line_at_the_top(page) == place
    # Before the transcript there is no place to keep.
    await page.evaluate("scrollTo(0, 0)")
    await page.get_by_role("checkbox", name="Spanish").click()
    assert await page.evaluate("scrollY") == 0


async def test_the_line_of_the_reader_is_not_below_the_controls(opened: Open) -> None:
    page = await opened(page_samples.sample_page())
    bottom = (await box(page, "#controls"))["height"]
    for step in range(3000, 3400, 30):
        await page.evaluate(f"scrollTo({{ top: {step}, behavior: 'instant' }})")
        await line_at_the_top(page)
        assert (await box(page, ".here"))["y"] >= bottom - 2


COLOURS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const of = (element, name) => {
    canvas.fillStyle = getComputedStyle(element)[name]; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  return [of(document.getElementById("controls"), "backgroundColor"),
    ...[...document.querySelectorAll(".lane .dot")].map((dot) => of(dot, "backgroundColor"))];
}
"""


def linear(colour: Sequence[int]) -> list[float]:
    parts = [each / 255 for each in colour]
    return [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]


def luminance(colour: Sequence[int]) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def oklab(colour: Sequence[int]) -> tuple[float, float, float]:
    red, green, blue = linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("dark", [False, True])
async def test_the_colours_of_sixteen_speakers_are_apart_and_stand_out(opened: Open, *, dark: bool) -> None:
    page = await opened(page_samples.crowded_page(speakers=16), dark=dark)
    ground, *colours = await page.evaluate(COLOURS)
    assert len(colours) == 16
    distances = [
        math.dist(oklab(one), oklab(other)) for one, other in itertools.combinations(colours[:12], 2)
    ]
    assert min(distances) > 0.1
    assert len({tuple(each) for each in colours}) == 16
    for colour in colours:
        darker, lighter = sorted((luminance(ground), luminance(colour)))
        assert (lighter + 0.05) / (darker + 0.05) > 3


CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const linear = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return a === 0 ? null : 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = luminance(getComputedStyle(each).backgroundColor);
      if (found !== null) return found;
    }
  };
  const low = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const style = getComputedStyle(element);
    if (!own || element.closest("svg, script, .skip, .hidden, :disabled")) continue;
    const pair = [luminance(style.color), ground(element)].sort((one, other) => other - one);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) low.add(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
  }
  return [...low];
}
"""


@pytest.mark.parametrize("dark", [False, True])
async def test_text_has_enough_contrast_by_day_and_by_night(opened: Open, *, dark: bool) -> None:
    page = await opened(page_samples.sample_page(), dark=dark)
    assert await page.evaluate(CONTRASTS) == []
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 22, 27)" if dark else "rgb(246, 245, 241)")


async def test_landmarks_and_controls_have_names(opened: Open) -> None:
    page = await opened(page_samples.sample_page())
    for landmark in (page.get_by_role("banner"), page.get_by_role("main"), page.get_by_role("search")):
        assert await landmark.count() == 1
    for name in ("Statistics", "Transcript"):
        assert await page.get_by_role("region", name=name).count() == 1
    for name in ("Next match", "Previous match"):
        assert await page.get_by_role("button", name=name).count() == 1
    assert await page.get_by_role("searchbox", name="Search in the transcript").count() == 1
    assert await page.get_by_role("img", name="On average").count() == 1
    assert await page.get_by_role("group", name="Languages that are shown").count() == 1


async def test_paper_shows_all_lines_and_no_controls(opened: Open) -> None:
    page = await opened(page_samples.sample_page())
    await page.emulate_media(media="print")
    assert not await page.locator("#query").is_visible()
    assert await page.locator("#lanes").is_visible()
    assert (
        await page.evaluate("getComputedStyle(document.querySelector('li.line')).contentVisibility")
        == "visible"
    )


async def test_a_meeting_without_any_words_has_a_page(opened: Open) -> None:
    page = await opened(page_samples.page([], ["es"], title=None))
    assert await page.locator("h1").text_content() == "Meeting abc-defg-hij"
    assert await page.get_by_text("Nothing has been said yet.").is_visible()
    await page.fill("#query", "word")
    assert await page.text_content("#found") == "no match"


async def test_untimed_lines_are_shown_found_and_not_on_the_lanes(opened: Open) -> None:
    rows = [row("when?", None, None), row("then", 5, 6), row("only its end", None, 7, label="B")]
    page = await opened(page_samples.page(rows), at="#t=5")
    assert await page.locator("li.line").count() == 3
    assert await page.locator(".lane").count() == 2
    assert await page.evaluate("document.activeElement.dataset.t") == "5"
    await page.fill("#query", "when")
    await page.press("#query", "Enter")
    assert await page.text_content("#found") == "1 of 1"
