//! The page of the metrics port in a real browser, while an epoch runs: its numbers change, it says nothing on the
//! console, a keyboard reaches all of it, it is as wide as a telephone, and it can be read, by day and by night.
//!
//! `scripts/torture page` installs Chromium, which has 400 MB, and takes the picture for docs/seeing.md.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "the page asks once a second")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use headwater_tests::{Browser, Data, Server, ServerOptions, eventually, run};
use headwater_wire::proto;
use headwater_wire::proto::announce_request::Statement;
use headwater_wire::proto::{datasets_client::DatasetsClient, jobs_client::JobsClient};
use serde_json::{Value, json};
use tempfile::TempDir;

const TAB: char = '\u{E004}';
const ENTER: char = '\u{E007}';
/// A name that is a tag, and is to stay a name.
const HOSTILE: &str = "<img src=x onerror=document.title='gone'>.jpg";
/// A folder for pictures.
const PICTURES: &str = "PAGE_PICTURES";

/// The contrast of each text with what is behind it, by WCAG 2.1: those that have less than 4.5.
const FAINT: &str = "
const channel = (value) => value <= 0.03928 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const colour = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const found = colour(getComputedStyle(at).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
const faint = [];
for (const element of document.querySelectorAll('h1,h2,h3,p,a,dt,dd,th,td,button,label,caption')) {
  if (!element.textContent.trim() || !element.getClientRects().length) continue;
  const [one, other] = [light(colour(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
  const contrast = (one + 0.05) / (other + 0.05);
  if (contrast < 4.5) faint.push(element.tagName + ' ' + element.textContent.slice(0, 30) + ': ' + contrast);
}
return faint;";

/// What assistive programs need and is not there.
const UNNAMED: &str = "
const lacks = [];
for (const name of ['header', 'main', 'nav', 'footer', 'h1']) {
  if (document.querySelectorAll(name).length !== 1) lacks.push('one ' + name);
}
if (!document.documentElement.lang) lacks.push('a language');
for (const head of document.querySelectorAll('th')) if (!head.scope) lacks.push('scope of ' + head.textContent);
for (const table of document.querySelectorAll('table')) {
  if (!table.tHead) lacks.push('a head of ' + table.textContent.slice(0, 30));
}
for (const input of document.querySelectorAll('input')) if (!input.labels.length) lacks.push('label of ' + input.id);
for (const region of document.querySelectorAll('section, [role=region]')) {
  const by = region.getAttribute('aria-labelledby');
  const name = region.getAttribute('aria-label') || (by && document.getElementById(by).textContent);
  if (!name) lacks.push('name of ' + region.id);
}
return lacks;";

/// What is wider than the screen, and in nothing that scrolls.
const WIDE: &str = "
const width = document.documentElement.clientWidth;
const wide = [];
if (document.documentElement.scrollWidth > width) wide.push('the page: ' + document.documentElement.scrollWidth);
for (const element of document.querySelectorAll('main *')) {
  if (element.closest('.scroll') && !element.classList.contains('scroll')) continue;
  const box = element.getBoundingClientRect();
  if (box.width && box.right > width + 1) wide.push(element.tagName + '#' + element.id + ': ' + box.right);
}
return wide;";

/// Photos that are fetched again and again until this is dropped.
struct Epochs {
    over: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

// === impl Epochs ===

impl Epochs {
    fn run(server: &Server) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (stop, address, out) = (Arc::clone(&over), server.address(), TempDir::new().unwrap());
        let running = thread::spawn(move || {
            let out = out.path().display().to_string();
            let ways =
                [&["--cut", "decoded", "--recipe", "imagenet-train"][..], &["--cut", "features", "--model", "m"]];
            for further in ways.iter().cycle().take_while(|_| !stop.load(Ordering::SeqCst)) {
                let what =
                    ["fetch", "--servers", &address, "--dataset", "photos", "--out", &out, "--max-failures", "100%"];
                run("profiler", [&what[..], further].concat()).unwrap();
            }
        });
        Self { over, running: Some(running) }
    }
}

impl Drop for Epochs {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(self.running.take().map(JoinHandle::join));
    }
}

/// Two jobs that read: one has done a third of its epoch, the order of the other is unknown.
async fn announce(address: &str) {
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let request = proto::DescribeRequest { dataset: "photos".into(), digest: Vec::new().into() };
    let dataset = DatasetsClient::new(channel.clone()).describe(request).await.unwrap().into_inner();
    let samples = dataset.samples;
    let order = proto::EpochOrder { shuffle: true, samples, repeats: true, epoch: 3, ..Default::default() };
    let reached = proto::EpochProgress { position: samples / 3, epoch: 3, ..Default::default() };
    for (job, statement) in [
        ("resnet-50", Statement::Begins(order)),
        ("resnet-50", Statement::Reached(reached)),
        ("search-7", Statement::Unknown(proto::UnknownOrder {})),
    ] {
        let request = proto::AnnounceRequest {
            dataset: "photos".into(),
            dataset_digest: dataset.digest.clone(),
            job: job.into(),
            rank: 0,
            lease_milliseconds: 600_000,
            statement: Some(statement),
        };
        JobsClient::new(channel.clone()).announce(request).await.unwrap();
    }
}

fn text(browser: &Browser, id: &str) -> String {
    let script = format!("return document.getElementById('{id}').textContent");
    browser.run(&script).unwrap().as_str().unwrap().to_owned()
}

fn focus(browser: &Browser) -> Value {
    let script = "const at = document.activeElement; return at === document.body ? null : \
                  { name: at.tagName + ' ' + (at.id || at.getAttribute('aria-label') || at.textContent), \
                    seen: getComputedStyle(at).outlineStyle !== 'none' && at.matches(':focus-visible') }";
    browser.run(script).unwrap()
}

fn keep(browser: &Browser, name: &str) {
    if let Some(folder) = std::env::var_os(PICTURES).filter(|folder| !folder.is_empty()) {
        fs::write(PathBuf::from(folder).join(name), browser.picture().unwrap()).unwrap();
    }
}

fn media(browser: &Browser, scheme: &str) {
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.command("Emulation.setEmulatedMedia", &features).unwrap();
}

/// Goes through everything that a keyboard reaches: the names, each once.
fn tour(browser: &Browser) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..100 {
        browser.press(TAB).unwrap();
        let at = focus(browser);
        let Some(name) = at["name"].as_str().map(str::to_owned) else { break };
        assert_eq!(at["seen"], true, "where the focus is cannot be seen: {name}");
        if names.contains(&name) {
            break;
        }
        names.push(name);
    }
    names
}

#[test]
fn the_page_lives_while_an_epoch_runs() {
    let Some(browser) = Browser::start().unwrap() else {
        println!("left out: there is no chromedriver here; scripts/torture page installs Chromium (400 MB)");
        return;
    };
    let data = Data::photos().unwrap();
    let photos = data.scratch.path().join("served");
    headwater_testdata::PhotoSet { classes: 4, per_class: 40, ..Default::default() }.write(&photos).unwrap();
    fs::write(photos.join("checker").join(HOSTILE), "no photo").unwrap();
    fs::write(photos.join("checker/cut-off.jpg"), b"\xFF\xD8\xFF\xE0").unwrap();
    let options = ServerOptions::new(&photos).metrics().args(["--cache-memory", "32MiB"]);
    let mut server = options.model("m", &data.model, &data.recipe).start().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(announce(&server.address()));
    let epochs = Epochs::run(&server);
    browser.open(&format!("http://{}/", server.metrics_address().unwrap())).unwrap();

    let number = |id: &str| text(&browser, id).trim_end_matches(['k', 'M']).parse::<f64>().ok();
    eventually("samples a second", || number("rate").filter(|rate| *rate > 0.0));
    eventually("a cut of each kind", || (text(&browser, "cuts").contains("features")).then_some(()));
    let before = text(&browser, "cuts");
    eventually("numbers that change", || (text(&browser, "cuts") != before).then_some(()));
    assert_eq!(text(&browser, "phase"), "ready");
    assert!(text(&browser, "verdict").starts_with("Samples spent "), "{}", text(&browser, "verdict"));
    let jobs = text(&browser, "job-rows");
    assert!(jobs.contains("resnet-50") && jobs.contains("33 %") && jobs.contains("unknown"), "{jobs}");
    assert!(text(&browser, "model-rows").contains('m') && text(&browser, "tiers").contains("memory"));

    // A name that is a tag stays a name.
    eventually("the failed sample by its key", || text(&browser, "last").contains(HOSTILE).then_some(()));
    let title = browser.run("return [document.images.length, document.title]").unwrap();
    assert!(title[0] == 0 && title[1].as_str().unwrap().contains("Headwater"), "{title}");
    let find = "const find = document.getElementById('find'); find.value = 'CUT-OFF'; \
                find.dispatchEvent(new Event('input')); return document.getElementById('last').rows.length";
    assert_eq!(browser.run(find).unwrap(), 1);
    browser.run("document.getElementById('find').value = ''").unwrap();

    assert_eq!(browser.run(UNNAMED).unwrap(), json!([]));
    // Rates of whole ten seconds, for the picture too.
    thread::sleep(Duration::from_secs(12));
    for scheme in ["light", "dark"] {
        media(&browser, scheme);
        assert_eq!(browser.run(FAINT).unwrap(), json!([]), "{scheme}");
        keep(&browser, &format!("seeing-{scheme}.png"));
    }
    media(&browser, "light");

    let names = tour(&browser);
    assert_eq!(names.first().map(String::as_str), Some("A Skip to the figures"), "{names:?}");
    for name in ["BUTTON pause", "INPUT find", "A Failures", "DIV Training jobs", "DIV Clients with open streams"] {
        assert!(names.iter().any(|reached| reached == name), "a keyboard does not reach {name}: {names:?}");
    }
    // Where the keyboard is stays where it is while tables are drawn anew.
    browser.run("document.querySelector('[aria-label=\"Samples by cut\"]').focus()").unwrap();
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(focus(&browser)["name"], "DIV Samples by cut");
    browser.run("document.getElementById('pause').focus()").unwrap();
    browser.press(ENTER).unwrap();
    assert_eq!(text(&browser, "pause"), "Go on");
    thread::sleep(Duration::from_millis(1500));
    let paused = text(&browser, "cuts");
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(text(&browser, "cuts"), paused);
    browser.press(ENTER).unwrap();
    eventually("numbers that go on", || (text(&browser, "cuts") != paused).then_some(()));

    let narrow = json!({ "width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": true });
    browser.command("Emulation.setDeviceMetricsOverride", &narrow).unwrap();
    assert_eq!(browser.run("return document.documentElement.clientWidth").unwrap(), 400);
    assert_eq!(browser.run(WIDE).unwrap(), json!([]));
    keep(&browser, "seeing-400.png");
    let console = browser.console().unwrap();
    assert_eq!(console, Vec::<Value>::new(), "the page says something on the console");

    drop(epochs);
    server.kill().unwrap();
    eventually("words for a server that is gone", || text(&browser, "phase").contains("not answered").then_some(()));
}
