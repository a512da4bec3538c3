//! A plan from SOPHON's own profile: its greedy to the operation, ours never worse, and files that say why.
//!
//! On the 40,000 photos of the test data where they are, else on a profile of the same form made on the spot.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater_testdata::shared_data;
use headwater_tests::{program, run};
use serde_json::Value;
use tempfile::TempDir;

/// SOPHON's two files, and the profile that was imported from them.
struct Imported {
    sizes: PathBuf,
    times: PathBuf,
    profile: PathBuf,
    /// Whether the profile is the one whose numbers are known.
    real: bool,
    folder: TempDir,
}

const HEADERS: [&str; 2] = [
    "index;raw;decoding;original_shape;RandomResizedCrop;RandomHorizontalFlip;ToTensor;Normalize;",
    "index,loader,decoding,RandomResizedCrop,RandomHorizontalFlip,ToTensor,Normalize,",
];

// === impl Imported ===

impl Imported {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let profile = folder.path().join("p.parquet");
        let (sizes, times, real) = match shared_data().map(|data| data.join("profiles/openimages")) {
            Some(data) if data.is_dir() => (data.join("prep_sizes.csv"), data.join("prep_times_synthetic.csv"), true),
            _ => {
                let (sizes, times) = (folder.path().join("prep_sizes.csv"), folder.path().join("prep_times.csv"));
                generate(3000, &sizes, &times);
                (sizes, times, false)
            }
        };
        let imported = Self { sizes, times, profile, real, folder };
        imported.import(&imported.times).success().unwrap();
        imported
    }

    fn import(&self, times: &Path) -> headwater_tests::Run {
        let paths = [&self.sizes, times, &self.profile].map(|path| path.display().to_string());
        run("profiler", ["import", "sophon", "--sizes", &paths[0], "--times", &paths[1], "--out", &paths[2]]).unwrap()
    }

    fn plan_path(&self) -> String {
        self.folder.path().join("plan.txt").display().to_string()
    }

    fn plan(&self, bandwidth: &str, cores: &str, further: &[&str]) -> Value {
        let (profile, out) = (self.profile.display().to_string(), self.plan_path());
        let fixed = ["plan", "--profile", &profile, "--bandwidth", bandwidth, "--storage-cores", cores, "--json"];
        let written = ["--out", &out];
        run("profiler", fixed.iter().chain(&written).chain(further)).unwrap().success().unwrap().json().unwrap()
    }

    /// What the plan that was written last exports.
    fn splits(&self) -> Vec<i64> {
        let exported = run("profiler", ["plan", "export", &self.plan_path(), "--format", "csv"]).unwrap();
        let text = exported.success().unwrap().stdout;
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("index,split"));
        let split = |(index, line): (usize, &str)| {
            let (at, split) = line.split_once(',').unwrap();
            assert_eq!(at.parse::<usize>().unwrap(), index);
            split.parse().unwrap()
        };
        lines.enumerate().map(split).collect()
    }
}

/// Photos of all sizes, some larger and some smaller than their crop, some with the same numbers.
fn generate(samples: u64, sizes: &Path, times: &Path) {
    let (mut size_text, mut time_text) = (HEADERS[0].to_owned() + "\n", HEADERS[1].to_owned() + "\n");
    let mut state = 7_u64;
    let mut dice = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for index in 0..samples {
        let raw = (20_000.0 * (3.5 * dice()).exp()) as u64 / 1000 * 1000;
        let decode = raw as f64 * 2e-8 + 0.001 * dice();
        writeln!(size_text, "{index};{raw};2359329;(1024, 768);150561;150561;602145;602145;").unwrap();
        writeln!(time_text, "{index},0.001,{decode:.6},{:.6},0.00006,0.00045,0.00035,", 0.002 * dice()).unwrap();
    }
    std::fs::write(sizes, size_text).unwrap();
    std::fs::write(times, time_text).unwrap();
}

/// Rows of a file as numbers, without the column of shapes.
fn rows(path: &Path) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap();
    let separator = if text.starts_with("index;") { ';' } else { ',' };
    let row = |line: &str| {
        let fields = line.split(separator).filter(|field| !field.is_empty() && !field.starts_with('('));
        fields.map(|field| field.parse().unwrap()).collect()
    };
    text.lines().skip(1).map(row).collect()
}

/// The paper's algorithm as it is written down, on the files themselves: (splits, bytes).
fn reference(sizes: &[Vec<f64>], times: &[Vec<f64>], megabits: f64, cores: f64) -> (Vec<i64>, f64) {
    let to_megabits = |size: f64| size / 1_000_000.0 * 8.0;
    let mut order = Vec::new();
    for (index, (size, time)) in sizes.iter().zip(times).enumerate() {
        let mut smallest = 0;
        for stage in 1..=5 {
            if size[1 + stage] < size[1 + smallest] {
                smallest = stage;
            }
        }
        let saving = to_megabits(size[1]) - to_megabits(size[1 + smallest]);
        let mut cost = 0.0;
        for seconds in &time[2..2 + smallest] {
            cost += seconds;
        }
        let efficiency = if saving > 0.0 { saving / cost } else { 0.0 };
        order.push((index, smallest, saving, cost, efficiency));
    }
    order.sort_by(|a, b| b.4.partial_cmp(&a.4).unwrap());
    let mut total = 0.0;
    for size in sizes {
        total += to_megabits(size[1]);
    }
    let (mut splits, mut cpu) = (vec![-1; sizes.len()], 0.0);
    for (index, smallest, saving, cost, _) in order {
        total -= saving;
        cpu += cost;
        if total / megabits < cpu / cores || saving == 0.0 {
            break;
        }
        splits[index] = smallest as i64 - 1;
    }
    let bytes = sizes.iter().zip(&splits).map(|(size, split)| size[(split + 2) as usize]).sum();
    (splits, bytes)
}

#[test]
fn sophons_greedy_is_the_papers_to_the_last_sample() {
    let imported = Imported::new();
    let (sizes, times) = (rows(&imported.sizes), rows(&imported.times));
    for (megabits, cores) in [(430.0, 1.0), (430.0, 2.0), (430.0, 5.0), (50.0, 3.0), (2000.0, 4.0), (7.5, 48.0)] {
        let json = imported.plan(&format!("{megabits}Mbps"), &cores.to_string(), &["--algorithm", "sophon"]);
        let (splits, bytes) = reference(&sizes, &times, megabits, cores);
        assert_eq!(imported.splits(), splits, "{megabits} Mbps, {cores} cores");
        assert_eq!(json["bytes"].as_f64(), Some(bytes));
        let offloaded = splits.iter().filter(|split| **split >= 0).count();
        assert_eq!(json["offloaded"].as_u64(), Some(offloaded as u64));
        let network = bytes * 8.0 / (megabits * 1e6);
        assert!((json["seconds"]["network"].as_f64().unwrap() - network).abs() <= 1e-12 * network);
    }
    // Other times: those of the file, turned round.
    let turned = imported.folder.path().join("turned.csv");
    let text = std::fs::read_to_string(&imported.times).unwrap();
    let mut lines = text.lines();
    let mut out = lines.next().unwrap().to_owned() + "\n";
    let fields: Vec<_> = lines.map(|line| line.split_once(',').unwrap().1).collect();
    for (index, fields) in fields.iter().rev().enumerate() {
        writeln!(out, "{index},{fields}").unwrap();
    }
    std::fs::write(&turned, out).unwrap();
    imported.import(&turned).success().unwrap();
    imported.plan("200Mbps", "2", &["--algorithm", "sophon"]);
    assert_eq!(imported.splits(), reference(&sizes, &rows(&turned), 200.0, 2.0).0);
}

#[test]
fn the_known_numbers_come_out() {
    let imported = Imported::new();
    if !imported.real {
        return eprintln!("skipped: these are the numbers of the profile in the test data");
    }
    let sophon = |cores: &str| imported.plan("430Mbps", cores, &["--algorithm", "sophon"]);
    let one = sophon("1");
    assert_eq!((one["offloaded"].as_u64(), one["bytes"].as_u64()), (Some(10_649), Some(7_709_968_437)));
    assert_eq!(sophon("2")["offloaded"].as_u64(), Some(19_160));
    for cores in ["5", "48"] {
        let json = sophon(cores);
        assert_eq!(
            (json["offloaded"].as_u64(), json["bytes"].as_u64()),
            (Some(30_133), Some(5_558_404_503)),
            "{cores}"
        );
    }
    assert_eq!(sophon("0")["offloaded"].as_u64(), Some(0));
    assert!(imported.splits().iter().all(|split| *split == -1));
}

#[test]
fn the_optimal_plan_is_never_worse_and_within_a_thousandth_of_its_bound() {
    let imported = Imported::new();
    let number = |value: &Value| value.as_f64().unwrap();
    for (bandwidth, cores, further) in [
        ("430Mbps", "1", &[][..]),
        ("430Mbps", "5", &["--trainer-cores", "4"]),
        ("50Mbps", "2", &["--trainer-cores", "1", "--accelerator-rate", "1000"]),
        ("10Gbps", "2", &["--trainer-cores", "2"]),
        ("100Mbps", "0", &["--reserve", "bandwidth=40Mbps"]),
    ] {
        let best = imported.plan(bandwidth, cores, further);
        let (epoch, bound, gap) = (number(&best["seconds"]["epoch"]), number(&best["bound"]), number(&best["gap"]));
        assert!(bound <= epoch && gap <= 1e-3, "{best}");
        let seconds = best["seconds"].as_object().unwrap();
        assert_eq!(seconds.values().map(number).fold(0.0, f64::max), epoch);
        let counts = best["cuts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), best["samples"].as_u64().unwrap());
        for mode in best["modes"].as_array().unwrap().iter().filter(|mode| !mode["outcome"].is_null()) {
            assert!(epoch <= number(&mode["outcome"]["seconds"]["epoch"]), "{bandwidth} {cores}: {mode}");
        }
        let mut given = further.to_vec();
        for algorithm in ["sophon", "minimum-bytes", "static:encoded"] {
            given.extend(["--algorithm", algorithm]);
            let other = imported.plan(bandwidth, cores, &given);
            given.truncate(further.len());
            assert!(epoch <= number(&other["seconds"]["epoch"]), "{bandwidth} {cores}: {other}");
            assert!((number(&other["bound"]) - bound).abs() <= 1e-4 * bound);
        }
    }
}

#[test]
fn a_sample_is_explained_by_what_every_way_would_have_cost() {
    let imported = Imported::new();
    imported.plan("430Mbps", "1", &[]);
    let (profile, plan) = (imported.profile.display().to_string(), imported.plan_path());
    let explain = |further: &[&str]| {
        run("profiler", ["explain", "--profile", &profile, "--plan", &plan].iter().chain(further)).unwrap()
    };
    let json = explain(&["--sample", "17", "--json"]).success().unwrap().json().unwrap();
    let ways = json["ways"].as_array().unwrap();
    assert_eq!((json["index"].as_u64(), ways.len()), (Some(17), 6));
    assert!(ways.iter().any(|way| way["way"] == json["way"]));
    let text = explain(&["--sample", "17"]).success().unwrap().stdout;
    assert!(text.contains("> ") && text.contains("price") && text.contains("cropped"), "{text}");
    assert!(explain(&["--sample", "99999999"]).stderr.contains("no sample 99999999"));
    assert!(explain(&["--key", "a.jpg"]).stderr.contains("--sample"));
    // Another profile's plan explains nothing.
    let other = imported.folder.path().join("other.csv");
    let text = std::fs::read_to_string(&imported.times).unwrap();
    std::fs::write(&other, text.replacen(",0.001000,0.0", ",0.001000,0.1", 1).replacen(",0.001,0.0", ",0.001,0.1", 1))
        .unwrap();
    imported.import(&other).success().unwrap();
    assert!(explain(&["--sample", "17"]).stderr.contains("give the profile that it was made from"));
}

#[test]
fn mistakes_are_named_with_their_place_and_fix() {
    let imported = Imported::new();
    let text = std::fs::read_to_string(&imported.times).unwrap();
    let wrong = imported.folder.path().join("wrong.csv");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[4] = "3,0.001,NaN,0.002,0.00006,0.00045,0.00035,".into();
    std::fs::write(&wrong, lines.join("\n")).unwrap();
    let refused = imported.import(&wrong);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("wrong.csv:5:9: decoding is \"NaN\""), "{}", refused.stderr);

    let profile = imported.profile.display().to_string();
    let said = |arguments: &[&str]| {
        let refused = run("profiler", ["plan"].iter().chain(arguments)).unwrap();
        assert!(refused.code == Some(1) || refused.code == Some(2), "{arguments:?}: {:?}", refused.code);
        refused.stderr
    };
    assert!(said(&["--bandwidth", "430Mbps"]).contains("--profile"));
    assert!(said(&["--profile", "/nonexistent.parquet"]).contains("/nonexistent.parquet"));
    assert!(said(&["--profile", &profile]).contains("--storage-cores"));
    assert!(said(&["--profile", &profile, "--storage-cores", "node9:1=4"]).contains("storage"));
    assert!(said(&["--profile", &profile, "--storage-cores", "1", "--allow-cuts", "jpeg-crop"]).contains("encoded"));
    assert!(
        said(&["--profile", &profile, "--storage-cores", "1", "--algorithm", "static:jpeg-crop"]).contains("jpeg-crop")
    );
    assert!(
        said(&["--profile", &profile, "--storage-cores", "0", "--algorithm", "static:cropped"]).contains("no cores")
    );
    assert!(said(&["--profile", &profile, "--storage-cores", "1", "--algorithm", "best"]).contains("optimal"));
    assert!(said(&["export", &profile, "--format", "csv"]).contains("not a plan"));
}

#[test]
fn who_has_seen_enough_of_a_table_may_hang_up() {
    let imported = Imported::new();
    imported.plan("430Mbps", "1", &[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut export = Command::new(program("profiler"));
    let ended = export.args(["plan", "export", &imported.plan_path()]).stdout(writer).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

#[test]
fn the_report_is_one_page_that_loads_nothing_and_draws_every_plot() {
    let imported = Imported::new();
    let out = imported.folder.path().join("report.html");
    let (profile, path) = (imported.profile.display().to_string(), out.display().to_string());
    let written = run(
        "profiler",
        ["report", "--profile", &profile, "--bandwidth", "430Mbps", "--storage-cores", "5", "--out", &path, "--json"],
    );
    let written = written.unwrap().success().unwrap().json().unwrap();
    let page = std::fs::read_to_string(&out).unwrap();
    assert_eq!(written["bytes"], page.len());
    // The namespace is a name, and the only address.
    assert_eq!(page.matches("http").count(), page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    assert!(!page.contains("<script") && !page.contains("NaN") && !page.contains("inf\""));
    assert_eq!((page.matches("<svg").count(), page.matches("</svg>").count()), (5, 5));
    // Of the plan there is a point at each of twelve bandwidths; of a mode that needs cores none where there are none.
    let points = |name: &str| {
        let titles = page.split("<title>").skip(1).filter_map(|title| title.split_once("</title>"));
        // Of the lines: an epoch at a place.
        let titles = titles.filter(|(title, _)| title.contains(" at ")).filter_map(|(title, _)| title.split_once(": "));
        titles.filter(|(names, _)| names.split(", ").any(|one| one == name)).count()
    };
    assert_eq!((points("optimal"), points("cropped")), (12 + 9, 12 + 8));
    let epoch = imported.plan("430Mbps", "5", &[])["seconds"]["epoch"].as_f64().unwrap();
    assert_eq!(written["epoch"].as_f64().unwrap(), epoch);
}

/// The page of a report on what was imported.
fn report(imported: &Imported, given: &[&str]) -> String {
    let out = imported.folder.path().join("page.html");
    let (profile, path) = (imported.profile.display().to_string(), out.display().to_string());
    run("profiler", ["report", "--profile", &profile, "--out", &path].iter().chain(given)).unwrap().success().unwrap();
    std::fs::read_to_string(&out).unwrap()
}

/// An attribute's number.
fn attribute(tag: &str, name: &str) -> f64 {
    let value = tag.split_once(&format!(" {name}=\"")).unwrap().1;
    value.split_once('"').unwrap().0.parse().unwrap()
}

/// The boxes of a plot's texts: left, top, right, bottom. A character of 13 pixels is seldom wider than seven.
fn boxes(plot: &str) -> Vec<([f64; 4], &str)> {
    let texts = plot.split("<text ").skip(1).filter(|text| !text.starts_with("transform"));
    let of = |text| {
        let (tag, rest) = str::split_once(text, '>').unwrap();
        let words = rest.split_once("</text>").unwrap().0;
        let tag = format!(" {tag}");
        let (x, y, wide) = (attribute(&tag, "x"), attribute(&tag, "y"), 7.0 * words.chars().count() as f64);
        let left = x - wide
            * match () {
                () if tag.contains("\"end\"") => 1.0,
                () if tag.contains("\"middle\"") => 0.5,
                () => 0.0,
            };
        ([left, y - 10.0, left + wide, y + 3.0], words)
    };
    texts.map(of).collect()
}

#[test]
fn no_label_of_the_report_runs_into_another_or_out_of_its_plot() {
    let imported = Imported::new();
    for given in [
        &["--bandwidth", "430Mbps", "--storage-cores", "5"][..],
        &["--bandwidth", "7kbps", "--storage-cores", "1"],
        &["--bandwidth", "100Gbps", "--storage-cores", "0", "--trainer-cores", "3"],
    ] {
        let page = report(&imported, given);
        let plots: Vec<_> = page.split("<svg ").skip(1).map(|rest| rest.split_once("</svg>").unwrap().0).collect();
        assert_eq!(plots.len(), 5);
        for plot in plots {
            let sides = plot.split_once("viewBox=\"0 0 ").unwrap().1.split_once('"').unwrap().0;
            let [wide, tall] = [0, 1].map(|side| sides.split(' ').nth(side).unwrap().parse::<f64>().unwrap());
            let boxes = boxes(plot);
            assert!(boxes.len() > 5);
            for (number, ([left, top, right, bottom], words)) in boxes.iter().enumerate() {
                assert!(
                    *left >= 0.0 && *top >= -1.0 && *right <= wide && *bottom <= tall,
                    "{words} is cut off: {given:?}"
                );
                for ([l, t, r, b], other) in &boxes[number + 1..] {
                    let apart = r <= left || right <= l || b <= top || bottom <= t;
                    assert!(apart, "{words} runs into {other}: {given:?}");
                }
            }
        }
    }
}

#[test]
fn the_reports_colours_are_those_of_its_legends_and_all_differ() {
    let imported = Imported::new();
    let page = report(&imported, &["--bandwidth", "430Mbps", "--storage-cores", "5", "--trainer-cores", "16"]);
    let map = page.split("<h2>What an epoch waits for</h2>").nth(1).unwrap();
    let (legend, map) = map.split_once("<svg ").unwrap();
    let colours = |text: &str, before: &str| -> BTreeSet<String> {
        text.split(before).skip(1).map(|rest| rest[..7].to_owned()).collect()
    };
    let (named, drawn) = (colours(legend, "background:"), colours(map, "fill=\""));
    assert_eq!(named, drawn);
    assert!(named.len() > 1 && legend.matches("<li>").count() == named.len(), "{named:?}");
    assert!(!map.split("</svg>").next().unwrap().contains("opacity"), "a colour is as its legend has it");
}

#[test]
fn the_report_says_what_it_was_made_for_where_from_and_when_nothing_limits_it() {
    let imported = Imported::new();
    let given = ["--bandwidth", "430Mbps", "--storage-cores", "5", "--reserve", "bandwidth=30Mbps,storage-cores=1"];
    let page = report(&imported, &given);
    let made = page.split("<strong>Made for</strong>").nth(1).unwrap().split_once("</p>").unwrap().0;
    for part in
        ["400 Mbps into the trainer", "4 cores at each server", "Left to others", "bandwidth=30", "storage-cores=1"]
    {
        assert!(made.contains(part), "{part}: {made}");
    }
    assert!(page.contains("imported on ") && !page.contains("of them measured on"), "{}", &page[..3000]);
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("width=device-width"));

    let page = report(&imported, &["--storage-cores", "5"]);
    assert!(page.contains("any bandwidth into the trainer") && page.contains("An epoch waits for nothing"));
    assert!(page.contains("give --bandwidth") && !page.contains("An epoch: 0 s"));
}
