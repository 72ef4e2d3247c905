"""The explorers in a real browser, opened from a folder: what a reader points at, presses and drags, and then sees."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from dcbook import losses
from dcbook.book import paths
from dcbook.book.explorer import data_file
from dcbook.book.explorer.make import folder
from dcbook.book.explorer.packing import unpacked
from dcbook.chapters.rdc.tables import straightness
from dcbook.data import load
from dcbook.evaluation import accuracy, effective_rank
from dcbook.methods import DEC, AEKMeans, Pretraining

PAGES = ("latent_space", "toy_arcs")
SETS = sorted(path.stem for path in folder().glob("*.js") if path.read_text().startswith("dcbookExplorer.sets"))
MARGIN = 0.04  # of the map, as a share of its side
ALONE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width">
<style>body {{ font-family: sans-serif; margin: 12px; background: {ground}; color: {ink}; }}</style></head>
<body><main><h1>{name}</h1>{fragment}</main></body></html>"""
ALL_POINTS = """n => Array.from({length: n}, (_, i) => {
    const point = dcbookExplorer.point(i);
    return [point.x, point.y];
})"""
PICTURE = """() => {
    const picture = document.querySelector("[data-part=card-picture]").getContext("2d");
    return Array.from(picture.getImageData(0, 0, 64, 64).data);
}"""
CANVAS = """() => {
    const canvas = document.querySelector("[data-part=canvas]"), { left, top } = canvas.getBoundingClientRect();
    return { left, top, width: canvas.clientWidth };
}"""
SLIDE = """number => {
    const slider = document.querySelector("[data-part=step]");
    slider.value = number;
    slider.dispatchEvent(new Event("input"));
}"""
INK = """() => {
    const canvas = document.querySelector("[data-part=canvas]");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let i = 3; i < data.length; i += 4) sum += data[i];
    return sum;
}"""


@pytest.fixture(scope="session", params=SETS)
def held(request):
    """What the file of a set says, and the set's name."""
    name, content = data_file.read((folder() / f"{request.param}.js").read_text())
    return {"set": name, **content}


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Each page's own part alone in a bare document, light and dark: nothing of the site's theme is needed."""
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(folder(), root / "_static" / "explorer")
    (root / "explore").mkdir()
    for name in PAGES:
        text = (paths.root() / "dcbook" / "book" / "site" / "pages" / "explore" / f"{name}.md").read_text()
        fragment = re.search(r"```\{raw\} html\n(.*?)\n```", text, re.DOTALL)[1]
        for theme, ground, ink in (("light", "#fff", "#000"), ("dark", "#14181e", "#fff")):
            page = ALONE.format(theme=theme, name=name, ground=ground, ink=ink, fragment=fragment)
            (root / "explore" / f"{name}-{theme}.html").write_text(page)
    return root / "explore"


@pytest.fixture
def show(browser, pages):
    """Open a page; at the end of a test nothing may have been asked from outside, and no script may have failed."""
    contexts, outside, errors = [], [], []

    def open_(name="latent_space", theme="light", state="", width=1300, **options):
        context = browser.new_context(viewport={"width": width, "height": 1000}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: outside.append(request.url) if not is_inside(request.url) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((pages / f"{name}-{theme}.html").as_uri() + (state and f"#{state}"))
        if name == "latent_space":
            page.wait_for_function("document.querySelector('[data-part=frame]').textContent !== ''")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert outside == [] and errors == []


def is_inside(url):
    return url.startswith(("file:", "data:", "blob:"))


def report(page):
    return page.evaluate("dcbookExplorer.report()")


def at_rest(page):
    """The report once no frame moves."""
    page.wait_for_function("!dcbookExplorer.report().moving")
    return report(page)


def point(page, i):
    return page.evaluate("i => dcbookExplorer.point(i)", i)


def lonely(page, held):
    """A sample that has no other near it on the map, so that a pointer on it can mean no other."""
    places = np.array(page.evaluate(ALL_POINTS, held["n"]))
    some = np.random.default_rng(0).permutation(held["n"])[:400]
    gaps = np.linalg.norm(places[some, None] - places[None], axis=2)
    gaps[np.arange(len(some)), some] = np.inf
    return int(some[gaps.min(1).argmax()])


def part(page, name):
    return page.locator(f"[data-part='{name}']")


# --- latent space -----------------------------------------------------------------------------------------------------


def test_a_page_shows_what_there_is(show, held):
    page = show()
    index = page.evaluate("dcbookExplorer.index.map((each) => each.title)")
    assert part(page, "set").locator("option").all_text_contents() == index
    assert part(page, "method").locator("option").all_text_contents() == [route["name"] for route in held["routes"]]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hovering_shows_the_sample(show, held):
    page = show(state=f"set={held['set']}&map=tsne")
    i = lonely(page, held)
    spot = point(page, i)
    page.mouse.move(spot["x"], spot["y"])
    card = part(page, "card")
    assert card.is_visible() and report(page)["hovered"] == i
    labels = np.frombuffer(base64.b64decode(held["classes"]), np.uint8)
    assert part(page, "card-class").text_content() == held["class_names"][labels[i]] == spot["class"]
    assert part(page, "card-cluster").text_content() == f"that of {spot['cluster']}"
    assert part(page, "card-verdict").text_content() == ("right" if spot["right"] else "wrong")
    shown = page.evaluate(PICTURE)
    sheet = Image.open(io.BytesIO(base64.b64decode(held["atlas"].partition(",")[2]))).convert("L")
    left, top = (held["tile"] * number for number in (i % held["columns"], i // held["columns"]))
    tile = sheet.crop((left, top, left + held["tile"], top + held["tile"])).resize((64, 64), Image.Resampling.NEAREST)
    shown = np.array(shown).reshape(64, 64, 4)[..., 0].astype(int)
    assert (np.abs(shown - np.asarray(tile).astype(int)) < 20).mean() > 0.95 and np.asarray(tile).max() > 100
    here = page.locator("[data-part='matrix'] .here")
    assert here.count() == 1 and here.get_attribute("data-class") == str(labels[i])
    page.mouse.move(2, 2)
    assert not card.is_visible()


def test_keys_move_the_slider_to_the_last_frame(show, held):
    page = show(state=f"set={held['set']}&step=0")
    slider = part(page, "step")
    assert report(page)["frame"] == "pixels"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert at_rest(page)["frame"] == "after pretraining"
    page.keyboard.press("End")
    end = held["frames"][held["routes"][0]["steps"][-1]["frame"]]
    assert at_rest(page)["frame"] == end["name"] == part(page, "frame").text_content()
    told = part(page, "acc").text_content()
    shown = float(re.fullmatch(r"ACC (\d+\.\d) %", told)[1])
    assert abs(shown - 100 * end["acc"]) < 0.0501  # browsers round a tie up, Python to even
    assert slider.get_attribute("aria-valuetext") == f"{end['name']}, {told}"


@pytest.mark.parametrize("map_", ["pca", "tsne"])
def test_every_frame_is_unpacked_as_it_was_packed(show, held, map_):
    """A frame is stored as what changes from the one before."""
    page = show(state=f"set={held['set']}&map={map_}&step=0", reduced_motion="reduce")
    those, frames = held["maps"][map_], held["clusters"]
    places = unpacked(those["packed"], those["before"]).reshape(-1, held["n"], 2)
    clusters = unpacked(frames["packed"], frames["before"])
    steps = [step for step in held["routes"][0]["steps"] if map_ in step]
    box = page.evaluate(CANVAS)
    for number in (0, 1, len(steps) // 2, len(steps) - 1):
        page.evaluate(SLIDE, number)
        shares = MARGIN + (1 - 2 * MARGIN) * places[steps[number][map_]] / held["grid"]
        expected = [box["left"], box["top"]] + box["width"] * shares
        np.testing.assert_allclose(page.evaluate(ALL_POINTS, held["n"]), expected, atol=0.01)
        frame = steps[number]["frame"]
        named = [held["frames"][frame]["match"][cluster] for cluster in clusters[frame]]
        names = ["no class" if name < 0 else held["class_names"][name] for name in named]
        assert [point(page, i)["cluster"] for i in range(0, held["n"], 500)] == names[::500]


def test_the_page_says_which_epochs_have_frames(show, held):
    page = show(state=f"set={held['set']}")
    for map_ in ("pca", "tsne"):
        part(page, "map").select_option(map_)
        shown = report(page)["steps"]
        assert part(page, "space").text_content().endswith(f"of {shown}")
        text = part(page, "epochs").text_content()
        epochs = [re.findall(r"\d+ to \d+|\d+", part.split("epoch")[1]) for part in text.split("; ")]
        ends = [[int(end) for end in span.split(" to ")] for spans in epochs for span in spans]
        assert sum(span[-1] - span[0] + 1 for span in ends) == shown - 2  # all but pixels and the start


def test_the_matrix_counts_and_dims(show, held):
    page = show(state=f"set={held['set']}&map=tsne")
    buttons = page.locator("[data-part='matrix'] td button")
    counts = [int(text or 0) for text in buttons.all_text_contents()]
    assert len(counts) == held["k"] * len(held["class_names"]) and sum(counts) == held["n"]
    size, rows = held["k"], page.locator("[data-part='matrix'] tbody th").all_text_contents()
    columns = page.locator("[data-part='matrix'] thead th").all_text_contents()[1:]  # a cluster without a class is "–"
    diagonal = sum(counts[rows.index(name) * size + at] for at, name in enumerate(columns) if name in rows)
    assert diagonal / held["n"] == pytest.approx(report(page)["acc"], abs=5e-5)

    def ink():
        return page.evaluate(INK)

    before, first = ink(), buttons.first
    first.click()
    assert first.get_attribute("aria-pressed") == "true" and report(page)["cell"] is not None
    assert ink() < 0.6 * before
    part(page, "everything").click()
    assert first.get_attribute("aria-pressed") == "false" and ink() == before
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert re.fullmatch(r"class .+, cluster of .+: \d+ of \d+ images", focused)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


@pytest.mark.parametrize("width", [1300, 390])
def test_names_and_counts_fit_into_the_matrix(show, held, width):
    page = show(state=f"set={held['set']}", width=width)
    boxes = page.locator("[data-part='matrix'] tbody :is(th, button)")
    script = "all => all.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)"
    assert boxes.count() == (held["k"] + 1) * len(held["class_names"]) and boxes.evaluate_all(script) == []


def test_the_wheel_brings_thumbnails_and_a_drag_moves(show, held):
    page = show(state=f"set={held['set']}&map=tsne")
    before = point(page, 0)
    spot = {axis: round(before[axis]) for axis in "xy"}
    page.mouse.move(spot["x"], spot["y"])
    for _ in range(5):
        page.mouse.wheel(0, -120)
    page.wait_for_function("dcbookExplorer.report().zoom > 7")
    shown, now = report(page), point(page, 0)
    assert shown["thumbnails"] > 5
    for axis in "xy":  # what is under the pointer stays there
        assert now[axis] == pytest.approx(spot[axis] + shown["zoom"] * (before[axis] - spot[axis]), abs=4)
    page.mouse.down()
    page.mouse.move(spot["x"] + 40, spot["y"] + 25, steps=5)
    page.mouse.up()
    moved = point(page, 0)
    assert abs(moved["x"] - now["x"] - 40) < 8 and abs(moved["y"] - now["y"] - 25) < 8
    part(page, "whole").click()
    assert report(page)["zoom"] == 1 and report(page)["thumbnails"] == 0


def test_play_goes_through_the_frames(show, held):
    page = show(state=f"set={held['set']}&step=0")
    part(page, "play").click()
    page.wait_for_function("dcbookExplorer.report().step >= 2", timeout=30_000)
    part(page, "play").click()
    stopped = at_rest(page)["step"]
    page.wait_for_timeout(1500)
    assert report(page)["step"] == stopped and part(page, "play").text_content() == "Play"


def test_reduced_motion_jumps(show, held):
    page = show(state=f"set={held['set']}&step=0", reduced_motion="reduce")
    part(page, "step").focus()
    page.keyboard.press("End")
    assert report(page)["moving"] is False and report(page)["step"] > 1


def test_method_map_and_color_say_what_is_shown(show, held):
    page = show(state=f"set={held['set']}")
    for route in held["routes"]:
        part(page, "method").select_option(route["name"])
        shown = at_rest(page)
        end = held["frames"][route["steps"][-1]["frame"]]
        assert (shown["frame"], shown["acc"]) == (end["name"], end["acc"])
        assert route["about"] in part(page, "about").text_content()
        assert part(page, "settings").locator("li").all_text_contents() == route["settings"]
    assert "PCA map" in part(page, "map-note").text_content()
    part(page, "map").select_option("tsne")
    assert "t-SNE map" in part(page, "map-note").text_content()
    part(page, "color").select_option("error")
    assert part(page, "legend").locator("li").count() == 2
    assert f"seed {held['seed']}" in part(page, "made").text_content()
    page.wait_for_function("location.hash.includes('color=error')")
    again = report(show(state=page.evaluate("location.hash.slice(1)")))
    last = held["routes"][-1]
    assert [again[key] for key in ("set", "method", "map", "color")] == [held["set"], last["name"], "tsne", "error"]
    assert again["step"] == len(last["steps"]) - 1


def test_a_set_that_did_not_load_is_tried_again(show, pages):
    shown, other = SETS[:2]
    page = show(state=f"set={shown}")
    file = pages.parent / "_static" / "explorer" / f"{other}.js"
    away = file.rename(file.with_suffix(".away"))
    part(page, "set").select_option(other)
    page.wait_for_function("document.querySelector('[data-part=status]').textContent.includes('did not load')")
    assert part(page, "set").input_value() == shown == report(page)["set"]
    away.rename(file)
    part(page, "set").select_option(other)
    page.wait_for_function(f"dcbookExplorer.report().set === '{other}'")
    assert part(page, "status").text_content() == ""


def test_a_finger_taps_and_two_pinch_at_phone_width(show, held):
    page = show(state=f"set={held['set']}&map=tsne", width=390, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    part(page, "canvas").scroll_into_view_if_needed()
    i = lonely(page, held)
    spot = point(page, i)
    page.touchscreen.tap(spot["x"], spot["y"])
    assert part(page, "card").is_visible() and report(page)["hovered"] == i
    box = part(page, "card").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    middle = part(page, "canvas").bounding_box()
    x, y = middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2
    fingers = page.context.new_cdp_session(page)

    def touch(kind, gap):
        points = [] if gap is None else [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for gap in (40, 80, 140):
        touch("touchMove", gap)
    touch("touchEnd", None)
    assert report(page)["zoom"] == pytest.approx(7, rel=0.15) and report(page)["thumbnails"] > 0


def test_drawing_takes_less_than_50_milliseconds(show, held):
    page = show(state=f"set={held['set']}&map=tsne")
    assert held["n"] > 9000
    times = []
    for _ in range(11):
        part(page, "whole").click()
        times.append(report(page)["drawMilliseconds"])
    assert 0 < np.median(times) < 50, times


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1300, 390])
def test_nothing_bars_the_way(show, name, theme, width):
    """axe: no violation of WCAG A and AA."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    page = show(name, theme, width=width)
    found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).response
    assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_works_inside_the_site(open_page, held):
    page = open_page(f"explore/latent_space.html#set={held['set']}&map=tsne")
    page.wait_for_function("document.querySelector('[data-part=frame]').textContent !== ''")
    spot = point(page, lonely(page, held))
    page.mouse.move(spot["x"], spot["y"])
    assert part(page, "card-class").text_content() == spot["class"] and page.troubles == []


# --- the toy arcs -----------------------------------------------------------------------------------------------------


def arcs(page):
    return page.evaluate("dcbookArcs.report()")


def trained(page):
    part(page, "run").click()
    page.wait_for_function("dcbookArcs.report().updates === 1000 && !dcbookArcs.report().running", timeout=120_000)
    return arcs(page)


def flat(values):
    return np.asarray(values, float).ravel().tolist()


def doubles(*arrays):
    return [torch.tensor(np.asarray(array), dtype=torch.float64, requires_grad=True) for array in arrays]


def test_loss_and_gradients_are_those_of_the_package(show):
    page = show("toy_arcs")
    draws = np.random.default_rng(0)
    u, centers = doubles(draws.normal(size=(7, 2)), draws.normal(size=(3, 2)))
    q = losses.student_t(u, centers)
    p = losses.target_distribution(q).detach()
    loss = losses.kl_divergence(p, q)
    loss.backward()
    script = """([u, centers]) => {
        u = Float64Array.from(u); centers = Float64Array.from(centers);
        const q = dcbookArcs.softAssignments(u, centers, 2), p = dcbookArcs.targetDistribution(q, 3);
        const { loss, ofCodes, ofCenters } = dcbookArcs.clusteringLoss(u, centers, p, 2);
        return { loss, q: [...q], p: [...p], ofCodes: [...ofCodes], ofCenters: [...ofCenters] };
    }"""
    found = page.evaluate(script, [flat(u.detach()), flat(centers.detach())])
    assert found["loss"] == pytest.approx(loss.item(), rel=1e-12)
    for name, expected in {"q": q.detach(), "p": p, "ofCodes": u.grad, "ofCenters": centers.grad}.items():
        np.testing.assert_allclose(found[name], flat(expected), atol=1e-13)


LAYERS = """const layersOf = (given) => given.map(([inputs, outputs, weights, bias]) => (
    { inputs, outputs, weights: Float64Array.from(weights), bias: Float64Array.from(bias) }));"""


def layers_of(module):
    linear = [layer for layer in module if isinstance(layer, torch.nn.Linear)]
    return [
        [each.in_features, each.out_features, flat(each.weight.detach()), flat(each.bias.detach())] for each in linear
    ]


def test_gradients_of_the_network_are_those_of_torch(show):
    page = show("toy_arcs")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2)).double()
    (x,) = doubles(np.random.default_rng(1).normal(size=(6, 2)))
    weights = torch.arange(12.0, dtype=torch.float64).reshape(6, 2)
    out = net(x)
    (out * weights).sum().backward()
    script = f"""([given, x, g]) => {{ {LAYERS}
        const layers = layersOf(given), outputs = dcbookArcs.forward(layers, Float64Array.from(x));
        const back = dcbookArcs.backward(layers, outputs, Float64Array.from(g));
        const parameters = back.parameters.map((each) => [...each]);
        return {{ out: [...outputs.at(-1)], x: [...back.x], parameters }}; }}"""
    found = page.evaluate(script, [layers_of(net), flat(x.detach()), flat(weights)])
    np.testing.assert_allclose(found["out"], flat(out.detach()), atol=1e-12)
    np.testing.assert_allclose(found["x"], flat(x.grad), atol=1e-12)
    for ours, theirs in zip(found["parameters"], net.parameters(), strict=True):
        np.testing.assert_allclose(ours, flat(theirs.grad), atol=1e-12)


@pytest.mark.parametrize("widths", [(), (6,)], ids=["linear", "one hidden layer"])
def test_training_is_that_of_the_package(show, widths):
    """45 updates, three targets, momentum: DEC of the package on 60 of the arcs' points, and the page's on the same."""
    page = show("toy_arcs")
    data = load("arcs", subset=60)
    recipe = Pretraining(widths=widths, latent_dim=2, epochs=30, batch_size=60, lr=1e-2)
    start = AEKMeans(4, start=recipe, random_state=0).fit(data.images).start_
    settings = {"max_updates": 45, "update_interval": 20, "tol": 0, "lr": 0.1, "batch_size": 60}
    fitted = DEC(4, start=start, random_state=0, **settings).fit(data.images)
    script = f"""([given, centers, x]) => {{ {LAYERS}
        [centers, x] = [centers, x].map((values) => Float64Array.from(values));
        const model = new dcbookArcs.DEC(layersOf(given), centers, x, {{ lr: 0.1 }});
        for (let i = 0; i < 45; i++) model.update();
        const {{ codes, clusters }} = model.look();
        return {{ codes: [...codes], clusters, centers: [...model.centers] }}; }}"""
    given = [layers_of(start.autoencoder.encoder), flat(start.centers), flat(data.images)]
    found = page.evaluate(script, given)
    np.testing.assert_allclose(found["centers"], flat(fitted.cluster_centers_), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found["codes"], flat(fitted.transform(data.images)), rtol=1e-3, atol=1e-4)
    assert found["clusters"] == fitted.labels_.tolist()


def test_pretraining_is_that_of_the_package(show):
    page = show("toy_arcs")
    data = load("arcs", subset=60)
    recipe = Pretraining(widths=(6,), latent_dim=2, epochs=40, batch_size=60, lr=1e-2)
    before, after = recipe.build((1, 1, 2), 0), recipe.build((1, 1, 2), 0)
    recipe.train(after, torch.tensor(data.images), 0)
    script = f"""([encoder, decoder, x]) => {{ {LAYERS} x = Float64Array.from(x);
        const layers = layersOf(encoder); dcbookArcs.pretrain(layers, layersOf(decoder), x, {{ epochs: 40, lr: 0.01 }});
        return [...dcbookArcs.forward(layers, x).at(-1)]; }}"""
    found = page.evaluate(script, [layers_of(before.encoder), layers_of(before.decoder), flat(data.images)])
    with torch.inference_mode():
        expected = after.encoder(torch.tensor(data.images))
    np.testing.assert_allclose(found, flat(expected), rtol=1e-3, atol=1e-4)


def test_numbers_of_the_table_are_those_of_the_package(show):
    page = show("toy_arcs")
    data = load("arcs", subset=60)
    u = data.images.reshape(-1, 2).astype(float) * [1, 0.3]
    clusters = np.random.default_rng(0).integers(0, 6, 60)
    script = """([u, labels, clusters]) => [dcbookArcs.straightness(Float64Array.from(u), labels),
        dcbookArcs.effectiveRank(Float64Array.from(u)), dcbookArcs.accuracy(labels, clusters, 6)]"""
    found = page.evaluate(script, [flat(u), data.labels.tolist(), clusters.tolist()])
    expected = straightness(u, data.labels), effective_rank(u), accuracy(data.labels, clusters)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_dec_flattens_the_arcs_in_the_page(show):
    page = show("toy_arcs", reduced_motion="reduce")
    before = arcs(page)
    after = trained(page)
    assert before["straightness"] < 0.9 < 0.95 < after["straightness"] and after["rank"] < before["rank"]
    assert part(page, "now").text_content() == "after 1000 of 1000 updates"
    assert part(page, "straightness-now").text_content() == f"{100 * after['straightness']:.1f} %"
    part(page, "updates").focus()
    page.keyboard.press("Home")
    assert part(page, "now").text_content() == "after 0 of 1000 updates"


def test_sliders_begin_anew_and_a_seed_repeats(show):
    page = show("toy_arcs")
    first = arcs(page)
    part(page, "seed").focus()
    page.keyboard.press("ArrowRight")
    other = arcs(page)
    page.keyboard.press("ArrowLeft")
    assert arcs(page)["u"] == first["u"] != other["u"]
    part(page, "k").focus()
    page.keyboard.press("End")
    assert arcs(page)["k"] == 8 and len(arcs(page)["centers"]) == 16
    part(page, "lr").focus()
    page.keyboard.press("End")
    assert arcs(page)["lr"] == 10 and part(page, "lr-value").text_content() == "10"


def test_what_the_page_tells_its_reader_to_try(show):
    page = show("toy_arcs", reduced_motion="reduce")
    assert trained(page)["acc"] > 0.9
    part(page, "seed").fill("1")
    assert trained(page)["acc"] < 0.7
    part(page, "seed").fill("0")
    part(page, "k").fill("8")
    assert trained(page)["used"] == 8 and arcs(page)["straightness"] > 0.99
    part(page, "k").fill("4")
    part(page, "network").select_option("50")
    part(page, "lr").fill("1")
    after = trained(page)
    assert (after["k"], after["lr"], after["hidden"], after["used"]) == (4, 10, 50, 1) and after["loss"] < 1e-3
    assert part(page, "used-now").text_content() == "1"
