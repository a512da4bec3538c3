//! Models label photos where they are: what they say is what ONNX Runtime says of the same pixels, each photo is
//! labelled once by one labeller whatever is killed, and the labels are those of the photos that are there.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a kill, and a look at how far a server is, come at some moment")]

mod trained;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use headwater_testdata::python;
use headwater_tests::{Server, ServerOptions, fetch, run};
use serde_json::Value;
use tempfile::TempDir;
use trained::{Trained, all, ask, check, done, relabel};

#[test]
fn labels_are_those_of_onnx_runtime_and_a_second_head_decodes_nothing() {
    let trained = Trained::new();
    let (photos, n) = (trained.data.photos.clone(), trained.photos());
    let (one, two) = (trained.serve(&photos, "1/2").start().unwrap(), trained.serve(&photos, "2/2").start().unwrap());
    let servers = format!("{},{}", one.address(), two.address());
    let summary = done(relabel(&servers, "joined", &["--top-k", "3"]));
    check(&summary, [("labelled", n), ("skipped", 0), ("failed", 0), ("decoded", n)]);
    let again = done(relabel(&servers, "joined", &["--top-k", "3"]));
    check(&again, [("labelled", 0), ("skipped", n), ("failed", 0), ("decoded", 0)]);

    // The joined model and the head over features are one and the same network.
    let by_head = done(relabel(&servers, "head", &[]));
    check(&by_head, [("labelled", n), ("skipped", 0), ("failed", 0), ("decoded", n)]);
    let other = done(relabel(&servers, "head", &["--from-scratch"]));
    check(&other, [("labelled", n), ("skipped", 0), ("failed", 0), ("decoded", 0)]);
    let (joined, head) = (all(&servers, "joined"), all(&servers, "head"));
    assert_eq!(joined.len() as u64, n);
    let differs = joined.iter().zip(&head).filter(|(one, other)| (&one.0, &one.1) != (&other.0, &other.1)).count();
    assert!(differs <= joined.len() / 100, "{differs} of {n} labels differ between the head and the joined model");

    let out = TempDir::new().unwrap();
    let recipe = &trained.data.recipe;
    let servers_of = [one.address(), two.address()];
    fetch(&servers_of, out.path(), &["--cut", "normalized", "--recipe", recipe]).unwrap();
    let Some(python) = python() else {
        println!("no Python with ONNX Runtime: labels are not compared with its own");
        return;
    };
    let keys = trained.state.path().join("labels.json");
    std::fs::write(&keys, serde_json::to_string(&joined).unwrap()).unwrap();
    let script = "
import sys, json, pathlib, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])
said = {key: (label, score) for key, label, score in json.load(open(sys.argv[2]))}
classes = json.loads(session.get_modelmeta().custom_metadata_map['headwater.classes'])
[fed] = session.get_inputs()
same, seen = 0, 0
for line in open(pathlib.Path(sys.argv[3]) / 'samples.jsonl'):
    sample = json.loads(line)
    tensor = numpy.load(pathlib.Path(sys.argv[3]) / ('%d.npy' % sample['index']))
    probs = session.run(['probs'], {fed.name: tensor[None]})[0][0]
    label, score = said[sample['key']]
    seen += 1
    same += classes[int(probs.argmax())] == label and abs(float(probs.max()) - score) < 1e-4
print(same, seen)
assert seen == len(said) and same >= 0.99 * seen, (same, seen, len(said))
";
    let arguments = [trained.joined.display(), keys.display(), out.path().display()].map(|path| path.to_string());
    let output = Command::new(python).args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_photo_is_labelled_once_whatever_is_killed() {
    let trained = Trained::new();
    let (photos, n) = (trained.data.photos.clone(), trained.photos());
    let mut server = trained.serve(&photos, "1/1").arg("--inference-workers").arg("1").start().unwrap();
    for pause in [150, 250, 350, 450] {
        done(relabel(&server.address(), "joined", &["--detach"]));
        std::thread::sleep(Duration::from_millis(pause));
        server = server.restart().unwrap();
    }
    // A server that was killed goes on by itself: nobody has asked this one.
    let end = Instant::now() + Duration::from_secs(60);
    while all_of(&server) < n {
        assert!(Instant::now() < end, "{} of {n} are labelled", all_of(&server));
        std::thread::sleep(Duration::from_millis(50));
    }
    let summary = done(relabel(&server.address(), "joined", &[]));
    check(&summary, [("labelled", 0), ("skipped", n), ("failed", 0), ("decoded", 0)]);
    let keys: BTreeSet<_> = all(&server.address(), "joined").into_iter().map(|(key, ..)| key).collect();
    assert_eq!((keys.len() as u64, all(&server.address(), "joined").len() as u64), (n, n));
}

/// Photos that are labelled by the joined model, as far as the server knows.
fn all_of(server: &Server) -> u64 {
    let asked = ask(&server.address(), &["--model", "joined"]);
    asked.json().ok().and_then(|counts| counts["sources"][0]["labelled"].as_u64()).unwrap_or_default()
}

#[test]
fn labels_follow_the_photos_that_are_there() {
    let trained = Trained::new();
    let folder = TempDir::new().unwrap();
    let photos = folder.path().join("photos");
    let class = photos.join("class");
    std::fs::create_dir_all(&class).unwrap();
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(&trained.data.photos).unwrap() {
        sources.extend(std::fs::read_dir(entry.unwrap().path()).unwrap().map(|entry| entry.unwrap().path()));
    }
    sources.sort();
    for (number, source) in sources.iter().take(6).enumerate() {
        std::fs::copy(source, class.join(format!("{number}.jpg"))).unwrap();
    }
    std::fs::write(class.join("broken.jpg"), [&[0xff, 0xd8, 0xff, 0xe0][..], &[7; 500]].concat()).unwrap();
    let server = trained.serve(&photos, "1/1").start().unwrap();
    let servers = server.address();
    let summary = done(relabel(&servers, "joined", &["--max-failures", "100%"]));
    check(&summary, [("labelled", 6), ("skipped", 0), ("failed", 1), ("decoded", 6)]);
    assert!(summary["failures"].to_string().contains("class/broken.jpg"), "{summary}");
    let again = done(relabel(&servers, "joined", &[]));
    check(&again, [("labelled", 0), ("skipped", 7), ("failed", 0), ("decoded", 0)]);
    let tried = done(relabel(&servers, "joined", &["--retry-failed", "--max-failures", "100%"]));
    check(&tried, [("labelled", 0), ("skipped", 6), ("failed", 1), ("decoded", 0)]);

    std::fs::remove_file(class.join("0.jpg")).unwrap();
    std::fs::copy(&sources[7], class.join("1.jpg")).unwrap();
    std::fs::copy(&sources[8], class.join("new.jpg")).unwrap();
    server.signal("HUP").unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while all(&servers, "joined").len() != 4 {
        assert!(Instant::now() < end, "the listing is not followed");
        std::thread::sleep(Duration::from_millis(50));
    }
    let next = done(relabel(&servers, "joined", &[]));
    check(&next, [("labelled", 2), ("skipped", 5), ("failed", 0), ("decoded", 2)]);
    let keys: Vec<_> = all(&servers, "joined").into_iter().map(|(key, ..)| key).collect();
    let expected = ["1", "2", "3", "4", "5", "new"].map(|name| format!("class/{name}.jpg"));
    assert_eq!(keys, expected);
}

#[test]
fn questions_are_answered_and_mistakes_are_named() {
    let trained = Trained::new();
    let (photos, n) = (trained.data.photos.clone(), trained.photos());
    let server = trained.serve(&photos, "1/1").start().unwrap();
    let servers = server.address();
    let none = ask(&servers, &[]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("tuner relabel"), "{}", none.stderr);
    let joined = done(relabel(&servers, "joined", &[]));
    let head = done(relabel(&servers, "head", &[]));
    let digest = |summary: &Value| summary["servers"][0]["digest"].as_str().unwrap().to_owned();
    assert_ne!(digest(&joined), digest(&head));

    let counts = done(ask(&servers, &["--model", "joined"]));
    let counted: u64 = counts["labels"].as_array().unwrap().iter().map(|of| of["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, n, "{counts}");
    let label = counts["labels"][0]["label"].as_str().unwrap().to_owned();
    let most = counts["labels"][0]["count"].as_u64().unwrap();
    let photos = |answer: &Value| answer["photos"].as_array().unwrap().clone();
    let of_label = photos(&done(ask(&servers, &["--model", "joined", "--label", &label])));
    assert_eq!(of_label.len() as u64, most);
    let scores: Vec<_> = of_label.iter().map(|photo| photo["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other) && of_label.iter().all(|photo| photo["label"] == *label));
    let median = scores[scores.len() / 2];
    let sure = ask(&servers, &["--model", "joined", "--label", &label, "--min-score", &median.to_string()]);
    assert_eq!(photos(&done(sure)).len(), scores.iter().filter(|score| **score as f32 >= median as f32).count());
    let limited = done(ask(&servers, &["--label", &label, "--limit", "2"]));
    assert_eq!(photos(&limited).len(), 2);
    let changed = done(ask(&servers, &["--model", "head", "--changed-since", &digest(&joined)[..12]]));
    assert!(photos(&changed).len() as u64 <= n / 100, "{changed}");
    let export = trained.state.path().join("labels.parquet").display().to_string();
    let exported = done(ask(&servers, &["--export", &export]));
    assert_eq!(exported["photos"].as_u64(), Some(n));
    assert!(std::fs::metadata(&export).unwrap().len() > 1000);

    for (further, words) in [
        (&["--label", "no such class"][..], "has no class"),
        (&["--labeller", "00ff00ff00ff"], "no labels of digest"),
        (&["--model", "none"], "no labels by none"),
        (&["--changed-since", &digest(&joined), "--model", "joined"], "no labels of digest"),
    ] {
        let refused = ask(&servers, further);
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{further:?}: {}", refused.stderr);
    }
    let other_k = relabel(&servers, "joined", &["--top-k", "2"]);
    assert!(other_k.code == Some(1) && other_k.stderr.contains("--from-scratch"), "{}", other_k.stderr);
    let unknown = relabel(&servers, "none", &[]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("joined"), "{}", unknown.stderr);
    let no_scores = relabel(&servers, "model", &[]);
    if !trained.data.real {
        assert!(no_scores.code == Some(1) && no_scores.stderr.contains("probs"), "{}", no_scores.stderr);
    }
    let twin = trained.serve_in("twin", &trained.data.photos, "1/1").start().unwrap();
    // A photo that two servers have is labelled by one of them, and counted once, whichever is named first.
    let both = [format!("{servers},{}", twin.address()), format!("{},{servers}", twin.address())];
    for both in &both {
        assert_eq!(done(ask(both, &["--model", "joined"]))["labels"], counts["labels"]);
    }
    let again = done(relabel(&both[0], "joined", &[]));
    assert_eq!((again["servers"].as_array().unwrap().len(), &again["labelled"]), (1, &Value::from(0)), "{again}");
    let bare = ServerOptions::new(&trained.data.photos);
    let bare =
        bare.arg("--model").arg(format!("m={},recipe={},output=probs", trained.joined.display(), trained.data.recipe));
    let bare = bare.start().unwrap();
    let refused = relabel(&bare.address(), "m", &[]);
    assert!(refused.code == Some(1) && refused.stderr.contains("--state"), "{}", refused.stderr);
}

/// Two labellers may give one number to different classes: the photo has another label then.
#[test]
fn a_class_of_the_same_number_and_another_name_is_another_label() {
    let trained = Trained::new();
    let n = trained.photos();
    let folders = std::fs::read_dir(&trained.data.photos).unwrap();
    let mut names: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.rotate_left(1);
    let classes = trained.state.path().join("classes.txt");
    std::fs::write(&classes, names.join("\n")).unwrap();
    let (joined, recipe) = (trained.joined.display(), &trained.data.recipe);
    let renamed = format!("renamed={joined},recipe={recipe},output=probs,classes={}", classes.display());
    let server = trained.serve(&trained.data.photos, "1/1").arg("--model").arg(renamed).start().unwrap();
    let servers = server.address();
    let before = done(relabel(&servers, "joined", &[]));
    done(relabel(&servers, "renamed", &[]));
    let digest = before["servers"][0]["digest"].as_str().unwrap().to_owned();
    let changed = done(ask(&servers, &["--model", "renamed", "--changed-since", &digest]));
    let photos = changed["photos"].as_array().unwrap();
    assert_eq!(photos.len() as u64, n);
    assert!(photos.iter().all(|photo| photo["label"] != photo["before"]), "{changed}");
}

#[test]
fn a_labelling_rests_goes_on_and_ends_as_it_is_told() {
    let trained = Trained::new();
    let n = trained.photos();
    let server = trained.serve(&trained.data.photos, "1/1").arg("--inference-workers").arg("1").start().unwrap();
    let state = |server: &Server| {
        let listed = run("tuner", ["relabel", "--servers", &server.address(), "--list", "--json"]).unwrap();
        let listed = done(listed);
        listed["servers"][0]["state"].as_str().unwrap_or("none").to_owned()
    };
    let until = |server: &Server, wanted: &str| {
        let end = Instant::now() + Duration::from_secs(30);
        while state(server) != wanted {
            assert!(Instant::now() < end, "it is {}, not {wanted}", state(server));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    assert_eq!(state(&server), "none");
    done(relabel(&server.address(), "joined", &["--detach"]));
    done(relabel(&server.address(), "joined", &["--pause"]));
    until(&server, "paused");
    // It rests also after a restart.
    let server = server.restart().unwrap();
    until(&server, "paused");
    done(relabel(&server.address(), "joined", &["--resume"]));
    until(&server, "done");
    assert_eq!(all_of(&server), n);
    done(relabel(&server.address(), "joined", &["--from-scratch", "--detach"]));
    let cancelled = relabel(&server.address(), "joined", &["--cancel"]);
    if cancelled.code == Some(0) {
        until(&server, "cancelled");
    }
    let refused = relabel(&server.address(), "joined", &["--cancel"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("no labelling"), "{}", refused.stderr);
}
