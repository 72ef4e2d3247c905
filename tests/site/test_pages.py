"""Each page in a browser, as its readers have it: no request outside, no error, nothing wider than the screen."""

import json

import pytest

from tests.site.conftest import NARROW, ROOT, SITE, WIDE

FOLDER = ROOT / (SITE or "none")
PAGES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html") if "_static" not in path.parts)
AXE = ["index.html", "claims.html", "exercises.html", "notebooks/dcss/README.html", "notebooks/dcss/latent_scale.html"]
AXE += ["api/dcbook.losses.html", *(page for page in PAGES if page.startswith("explore/"))]
CLAIMS = json.loads((ROOT / "notebooks/claims.json").read_text())["claims"]
DRAWN = """async () => {
    if (document.querySelector(".math") && window.MathJax?.startup?.promise) await MathJax.startup.promise;
    await Promise.all([...document.images].filter((i) => i.loading !== "lazy").map((i) => i.decode().catch(() => {})));
    return {
        width: document.documentElement.scrollWidth,
        math: document.querySelectorAll(".math").length,
        formulas: document.querySelectorAll("mjx-container").length,
        wrong: document.querySelectorAll("mjx-merror, [data-mjx-error]").length,
        broken: [...document.images].filter((i) => i.loading !== "lazy" && !i.naturalWidth).map((i) => i.src),
    };
}"""


@pytest.mark.parametrize("address", [page for page in PAGES if page != "404.html"])  # that one is a server's
def test_a_page_is_whole_on_a_screen_and_on_a_phone(open_page, address):
    page = open_page(address)
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate(DRAWN)
        assert found["width"] <= width, f"{found['width']} px at {width}"
        assert (found["formulas"] > 0) == (found["math"] > 0) and not found["wrong"] and not found["broken"]
    assert page.troubles == []


def test_search_finds_a_page(open_page):
    page = open_page("index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("how verdicts are made")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert "VERDICTS.html" in " ".join(a.get_attribute("href") for a in page.query_selector_all("#search-results a"))
    assert page.troubles == []


def test_dark_and_light_and_the_menu_on_a_phone(open_page):
    page = open_page("index.html", width=NARROW)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    grounds = []
    for mode in ("light", "dark", "auto"):
        page.click(".theme-switch-button:visible")
        page.click(f".theme-change-button[data-mode={mode}]:visible")
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] == grounds[2] != grounds[1]
    assert not page.is_visible("text=Reading order")
    page.click(".primary-toggle:visible")
    page.click("text=Reading order")
    page.wait_for_url("**/INDEX.html")


def shown(page):
    return page.inner_text(".dc-count"), page.locator(".dc-claim:visible").count()


def test_filters_count_and_stay_in_the_address(open_page):
    supported = [claim for claim in CLAIMS if claim["verdict"] == "supported"]
    dcss = [claim for claim in supported if claim["chapter"] == "dcss"]
    page = open_page("claims.html")
    assert shown(page) == (f"{len(CLAIMS)} of {len(CLAIMS)}", len(CLAIMS))
    page.click(".dc-chip[data-value=supported]")
    assert shown(page) == (f"{len(supported)} of {len(CLAIMS)}", len(supported))
    page.click(".dc-chip[data-value=dcss]")
    assert shown(page)[1] == len(dcss)
    assert page.url.endswith("?paper=dcss&verdict=supported")
    page.fill(".dc-search input", "no such word")
    assert shown(page)[1] == 0 and page.is_visible(".dc-none")
    again = open_page("claims.html?paper=dcss&verdict=supported")
    assert shown(again)[1] == len(dcss)
    assert again.get_attribute(".dc-chip[data-value=dcss]", "aria-pressed") == "true"
    again.click(".dc-reset")
    again.wait_for_function("document.querySelectorAll('.dc-claim[hidden]').length === 0")
    assert shown(again)[1] == len(CLAIMS) and "?" not in again.url
    assert page.troubles == again.troubles == []


def test_a_link_to_a_claim_opens_its_evidence(open_page):
    claim = next(claim for claim in CLAIMS if claim.get("questions"))
    page = open_page(f"claims.html?q=nothing-has-this-word#{claim['id']}")
    assert page.is_visible(f"#{claim['id']} .dc-table")


def test_claims_are_complete_without_scripts(open_page):
    page = open_page("claims.html", java_script_enabled=False)
    assert page.locator(".dc-claim:visible").count() == len(CLAIMS)
    assert not page.is_visible(".dc-filters")
    assert page.locator(".interval-plot").count() >= sum(bool(claim.get("questions")) for claim in CLAIMS)


def test_claims_are_cards_on_a_phone(open_page):
    page = open_page("claims.html", width=NARROW)
    boxes = [page.locator(f".dc-claim >> nth=0 >> .dc-{part}").bounding_box() for part in ("verdict", "said", "found")]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"] and {round(box["x"]) for box in boxes} == {
        round(boxes[0]["x"])
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("address", AXE)
def test_a_page_can_be_used_by_everybody(open_page, address, dark):
    """WCAG 2.2, A and AA, as far as axe can tell."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(address, dark=dark)
    page.evaluate(DRAWN)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = axe.Axe().run(page, options=rules).response["violations"]
    told = [(each["id"], [node["target"] for node in each["nodes"]][:4]) for each in found]
    assert told == []
