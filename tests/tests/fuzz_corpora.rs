//! What the fuzzers begin with, and what they have found, is read by every test run. (Images: the image crate's tests.)

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use headwater_access::count_tokens;
use headwater_cache::node::{SampleId, SampleLayout, seal};
use headwater_cache::{Entry, EntryKey, Frame, Kind};
use headwater_cli::settings::ConfigFile;
use headwater_discovery::{ServerSource, parse_servers};
use headwater_identity::{ProviderUrl, judge};
use headwater_labels::{frame_columns, reseal_block};
use headwater_onnx::external::{outside, take_in};
use headwater_onnx::{Limits, check};
use headwater_plan::import::sophon;
use headwater_plan::partition::NetworkProfile;
use headwater_plan::sync::{Micros, Mode, RuleName, log};
use headwater_plan::{Plan, Provenance};
use headwater_policy::{PolicyName, TierSizes};
use headwater_simulate::{Cluster, Outlook, Replay, SyncRun, Trace};
use headwater_spans::SpanContext;
use headwater_store::{
    Version, are_photos, count_kept, count_label_rows, count_listed, count_members, count_photos, count_rows,
    count_steps,
};
use headwater_types::{ByteCount, Digest, Recipe, Way};
use headwater_versions::Record;
use headwater_wire::announce::{Announcement, Said};
use headwater_wire::cached::CachedQuery;
use headwater_wire::models::PushOffer;
use headwater_wire::report::LossReport;
use headwater_wire::{Delivery, Fetch, List, Listed, Survey, Surveyed, proto};
use prost::Message;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn servers_and_tokens_are_read_whole_or_refused_by_their_line() {
    for (path, bytes) in corpus("servers") {
        let text = String::from_utf8(bytes).unwrap();
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        assert_eq!(parse_servers(&text).is_err(), bad || text.contains("://"), "{}", path.display());
        for source in text.lines().filter_map(|line| line.parse::<ServerSource>().ok()) {
            assert_eq!(source.to_string().parse::<ServerSource>().unwrap(), source);
        }
    }
    for (path, bytes) in corpus("tokens") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let counted = count_tokens(&bytes);
        assert_eq!(counted.is_err(), bad, "{}: {counted:?}", path.display());
        assert!(!counted.is_err_and(|error| error.to_string().contains("hunter2")), "a secret is in an error");
    }
}

#[test]
fn tokens_of_an_identity_provider_are_taken_by_its_keys_alone() {
    let issuer: ProviderUrl = "https://id.example.com".parse().unwrap();
    let roles = "realm_access.roles".parse().unwrap();
    for (path, bytes) in corpus("identity") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let (token, document) = (&bytes[..end], &bytes[end + 1..]);
        let judged = |token: &[u8]| judge((document, token), (&issuer, "headwater"), &roles, 1_900_000_000);
        let taken = matches!(judged(token), Ok(Ok(_)));
        assert_eq!(taken, !name.starts_with("bad-"), "{name}: {:?}", judged(token));
        assert_eq!(judged(token).is_err(), name.starts_with("bad-keys"), "{name}");
        for at in (0..token.len()).filter(|_| taken) {
            let mut changed = token.to_vec();
            changed[at] ^= 1;
            assert!(!matches!(judged(&changed), Ok(Ok(_))), "{name}: byte {at}");
        }
    }
}

#[test]
fn a_caller_says_where_it_stands_or_is_nobody() {
    for (path, bytes) in corpus("traceparent") {
        let text = String::from_utf8(bytes).unwrap();
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let read = SpanContext::read(&text, None);
        assert_eq!(read.is_none(), bad, "{}: {read:?}", path.display());
        assert!(read.is_none_or(|context| SpanContext::read(&context.parent(), None) == Some(context)));
    }
}

#[test]
fn recipes_are_read_and_written_back_the_same() {
    for (path, bytes) in corpus("recipe") {
        let recipe = Recipe::from_toml(std::str::from_utf8(&bytes).unwrap()).unwrap();
        assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe, "{}", path.display());
    }
}

#[test]
fn records_of_versions_are_read_whole_or_refused() {
    for (path, json) in corpus("model_record") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let record = [format!("headwater-models 1 {}\n", Digest::of(&json)).as_bytes(), &json[..]].concat();
        let read = Record::parse(&record);
        assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
        for cut in 0..record.len() {
            assert!(Record::parse(&record[..cut]).is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn announcements_of_versions_are_read_or_refused() {
    let mut taken = 0;
    for (_, bytes) in corpus("wire") {
        for cut in 0..=bytes.len() {
            let request = proto::BeginPushRequest::decode(&bytes[..cut]).ok();
            taken += usize::from(request.is_some_and(|request| PushOffer::try_from(request).is_ok()));
        }
    }
    assert!(taken > 0, "the corpus has an announcement");
}

#[test]
fn configurations_are_read_or_refused() {
    let read = corpus("config").into_iter().filter(|(path, bytes)| ConfigFile::parse(path, bytes).is_ok()).count();
    assert_eq!(read, 1, "the example is read, what is nested too deeply is not");
}

#[test]
fn listings_of_a_bucket_are_read_whole_or_refused() {
    for (path, bytes) in corpus("s3_listing") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let listed = count_listed(&bytes, "a/");
        assert_eq!(listed.is_err(), bad, "{}: {listed:?}", path.display());
        for cut in 0..bytes.len() {
            assert!(count_listed(&bytes[..cut], "a/").is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn values_of_a_nodes_cache_are_read_whole_or_refused() {
    for (path, mut bytes) in corpus("node_sample") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        seal(&mut bytes);
        let read = SampleLayout::verify(&bytes, SampleId { index: 3, identity: 9 });
        assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
    }
}

#[test]
fn traces_are_read_and_replayed_or_refused() {
    for (path, bytes) in corpus("trace") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let trace = Trace::parse(&bytes);
        assert_eq!(trace.is_err(), bad, "{}: {trace:?}", path.display());
        let Ok(trace) = trace else { continue };
        for (policy, substitute) in PolicyName::ALL.into_iter().flat_map(|policy| [(policy, None), (policy, Some(0.5))])
        {
            let (outlook, sizes) = (Outlook::new(&trace, 1), TierSizes { memory: 3, ssd: 1000 });
            let replay = Replay { trace: &trace, outlook: &outlook, policy, sizes, substitute };
            let counts = replay.run(false, &|_| {}).counts;
            let hits = counts.memory_hits + counts.ssd_hits;
            assert_eq!(hits + counts.substituted + counts.origin, trace.accesses());
            assert!(substitute.is_some() || counts.substituted == 0);
        }
    }
}

#[test]
fn logs_of_training_are_read_wherever_they_are_cut_or_refused() {
    for (path, bytes) in corpus("sync_log") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let read = log::read(&bytes);
        assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
        let first = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        for cut in (first..bytes.len()).filter(|_| !bad) {
            let log = log::read(&bytes[..cut]).unwrap();
            assert!(log.parts.len() <= 2 && log.cut <= 2, "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn clusters_are_read_and_simulated_or_refused() {
    for (path, bytes) in corpus("sync_cluster") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let cluster = Cluster::parse(&bytes);
        assert_eq!(cluster.is_err(), bad, "{}: {cluster:?}", path.display());
        let Ok(cluster) = cluster else { continue };
        let joins = cluster.from_round.iter().any(|from| *from > 1);
        // There are no rounds to join in async.
        let modes = if joins { vec![Mode::Esync, Mode::Sync] } else { vec![Mode::Esync, Mode::Sync, Mode::Async] };
        let rates = modes.into_iter().map(|mode| {
            let (rule, epsilon, rounds) = (RuleName::Headwater, Micros(500_000), 2.try_into().unwrap());
            let run = SyncRun { cluster: &cluster, mode, rule, epsilon, max_steps: None, overlap: false, rounds };
            run.run().unwrap().samples_per_second
        });
        let rates: Vec<f64> = rates.collect();
        assert!(rates[0] >= rates[1] && rates.iter().all(|rate| *rate > 0.0), "{}: {rates:?}", path.display());
    }
}

#[test]
fn kept_catalogs_are_read_whole_or_refused() {
    for (path, bytes) in corpus("kept_catalog") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        assert_eq!(count_kept(&bytes).is_err(), bad, "{}", path.display());
        for cut in 0..bytes.len() {
            assert!(count_kept(&bytes[..cut]).is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn blocks_of_labels_are_read_whole_or_refused() {
    for (path, bytes) in corpus("labels") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let (rows, columns) = bytes.split_first_chunk().unwrap();
        let rows = u16::from_le_bytes(*rows);
        let read = reseal_block(&frame_columns(rows, columns));
        assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
        let Ok(again) = read else { continue };
        for cut in 0..columns.len() {
            assert!(reseal_block(&frame_columns(rows, &columns[..cut])).is_err(), "{} up to {cut}", path.display());
        }
        assert_eq!(reseal_block(&again), Ok(again.clone()), "{}", path.display());
    }
}

#[test]
fn histories_of_generations_are_read_whole_or_refused() {
    for (path, bytes) in corpus("kept_history") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        assert_eq!(count_steps(&bytes).is_err(), bad, "{}", path.display());
        for cut in 0..bytes.len() {
            assert!(count_steps(&bytes[..cut]).is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn tables_of_labels_are_read_or_refused() {
    for (path, bytes) in corpus("labels_parquet") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let read = count_label_rows(&bytes.clone().into());
        assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
        for cut in 0..bytes.len() {
            assert!(count_label_rows(&bytes[..cut].to_vec().into()).is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn labels_files_are_read_or_refused() {
    for (target, suffix) in [("labels_csv", "csv"), ("labels_json", "jsonl")] {
        for (path, bytes) in corpus(target) {
            let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
            let read = count_rows(suffix, &bytes);
            assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
            for cut in 0..bytes.len() {
                let _ = count_rows(suffix, &bytes[..cut]);
            }
        }
    }
}

#[test]
fn tar_files_are_read_whole_or_refused() {
    for (path, bytes) in corpus("tar") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let counted = count_members(&bytes);
        assert_eq!(counted.is_err(), bad, "{}: {counted:?}", path.display());
        for cut in (0..bytes.len().saturating_sub(1024)).step_by(7) {
            assert!(count_members(&bytes[..cut]).is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn parquet_files_are_read_or_refused() {
    for (path, bytes) in corpus("parquet_file") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let photos = count_photos(&bytes.into());
        assert_eq!(photos.ok(), (!bad).then_some(7), "{}", path.display());
    }
}

#[test]
fn arrays_are_photos_or_refused() {
    for (path, bytes) in corpus("array_header") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        assert_eq!(are_photos(&bytes), !bad, "{}", path.display());
    }
}

#[test]
fn plans_are_read_and_written_back_the_same_or_refused() {
    for (path, bytes) in corpus("plan") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        match Plan::parse(&bytes) {
            Ok(plan) => assert_eq!(Plan::parse(plan.to_text().as_bytes()), Ok(plan), "{}", path.display()),
            Err(error) => assert!(bad, "{}: {error}", path.display()),
        }
        assert_eq!(Plan::parse(&bytes).is_err(), bad, "{}", path.display());
        for cut in (0..bytes.len()).step_by(7) {
            // Without its last newline a plan is the same.
            assert!(Plan::parse(&bytes[..cut]).is_err() || cut + 1 == bytes.len());
        }
    }
}

#[test]
fn provenances_are_read_and_written_back_the_same_or_refused() {
    for (path, bytes) in corpus("provenance") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let read = Provenance::from_toml(std::str::from_utf8(&bytes).unwrap());
        assert_eq!(read.is_err(), bad, "{}", path.display());
        if let Ok(provenance) = read {
            assert_eq!(Provenance::from_toml(&provenance.to_toml()), Ok(provenance), "{}", path.display());
        }
    }
}

#[test]
fn sophons_files_are_imported_or_refused() {
    let provenance =
        || Provenance::from_toml("source = 'sophon'\ndate = ''\nhost = ''\nversion = ''\nmeasured = 0").unwrap();
    for (path, bytes) in corpus("sophon") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        let (sizes, times) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
        assert_eq!(sophon(sizes, times, provenance()).is_err(), bad, "{}", path.display());
        for cut in 0..sizes.len() {
            let _ = sophon(&sizes[..cut], times, provenance());
        }
    }
}

#[test]
fn models_are_checked() {
    for (path, bytes) in corpus("onnx_check") {
        let facts = check(&bytes, &Limits::default()).unwrap();
        assert!(!facts.outputs.is_empty(), "{}", path.display());
        for cut in (0..bytes.len()).step_by(7) {
            let _ = check(&bytes[..cut], &Limits::default());
        }
    }
}

#[test]
fn data_beside_a_model_are_taken_in_or_refused() {
    let limits = Limits::default();
    for (path, bytes) in corpus("onnx_external") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let found = outside(&bytes, &limits);
        assert_eq!(found.is_err(), bad, "{}: {found:?}", path.display());
        if let Ok(found) = found {
            assert!(!found.is_empty(), "{}", path.display());
            let data = found.iter().map(|outside| vec![0; usize::try_from(outside.length).unwrap()]).collect();
            check(&take_in(&bytes, data, &limits).unwrap(), &limits).unwrap();
        }
        for cut in 0..bytes.len() {
            let _ = outside(&bytes[..cut], &limits);
        }
    }
}

#[test]
fn profiles_of_networks_are_read_whole_or_refused() {
    for (path, bytes) in corpus("network_profile") {
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let read = NetworkProfile::parse(&bytes);
        assert_eq!(read.is_err(), bad, "{}: {read:?}", path.display());
        for cut in (0..bytes.len()).step_by(7) {
            assert!(NetworkProfile::parse(&bytes[..cut]).is_err(), "{} up to {cut}", path.display());
        }
    }
}

#[test]
fn frames_are_opened_or_refused() {
    let (version, most) = (Version::of_file(1000, 1, 2), ByteCount::mebibytes(1));
    let key = EntryKey::new(Kind::Indexed, &Digest::of(b"photos"), &"cat/1.jpg".parse().unwrap(), version, most);
    let mut opened = Vec::new();
    for (path, bytes) in corpus("cache_frame") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        match Frame::open(bytes.clone().into(), &key) {
            Ok(entry) => {
                let (Entry::Bytes(payload) | Entry::Refused(payload)) = &entry;
                assert_eq!([Frame::seal(&key, &entry).as_bytes(), payload].concat(), bytes, "{name}");
                opened.push(name.clone());
            }
            Err(error) => assert!(error.to_string().starts_with("it"), "{name}: {error}"),
        }
        for cut in 0..bytes.len() {
            let cut_short = Frame::open(bytes[..cut].to_vec().into(), &key);
            assert!(cut_short.is_err() || name == "tail", "{name} cut at {cut}");
        }
    }
    opened.sort_unstable();
    assert_eq!(opened, ["bytes", "empty", "refused"]);
}

#[test]
fn messages_are_taken_or_refused() {
    let (mut surveyed, mut listed, mut asked, mut reported, mut delivered) =
        (0, 0, BTreeSet::new(), 0, BTreeSet::new());
    let (mut announced, mut looked_up) = (BTreeSet::new(), 0);
    for (_, bytes) in corpus("wire") {
        for cut in 0..=bytes.len() {
            if let Ok(request) = proto::SurveyRequest::decode(&bytes[..cut]) {
                let _ = Survey::try_from(request);
            }
            if let Ok(batch) = proto::SurveyBatch::decode(&bytes[..cut]) {
                let samples = batch.samples.into_iter().filter_map(|sample| Surveyed::try_from(sample).ok());
                surveyed += samples.filter(|sample| sample.outcome.is_ok()).count();
            }
            if let Ok(request) = proto::ListRequest::decode(&bytes[..cut]) {
                let _ = List::try_from(request);
            }
            if let Ok(batch) = proto::ListBatch::decode(&bytes[..cut]) {
                listed += Listed::read(batch).map_or(0, |(_, samples)| samples.len());
            }
            if let Ok(request) = proto::FetchRequest::decode(&bytes[..cut]) {
                asked.extend(Fetch::try_from(request).iter().flat_map(Fetch::iter).map(|asked| asked.way));
            }
            if let Ok(request) = proto::ReportRequest::decode(&bytes[..cut]) {
                reported += LossReport::try_from(request).map_or(0, |report| report.losses.len());
            }
            if let Ok(request) = proto::AnnounceRequest::decode(&bytes[..cut]) {
                announced.extend(Announcement::try_from(request).map(|announcement| match announcement.said {
                    Said::Begins(order) => format!("begins with {:?}", order.choice),
                    Said::Unknown => "unknown".to_owned(),
                    Said::Reached(_, position) => format!("reached {position}"),
                    Said::Ends => "ends".to_owned(),
                }));
            }
            if let Ok(request) = proto::CachedRequest::decode(&bytes[..cut]) {
                looked_up += CachedQuery::try_from(request).map_or(0, |query| query.samples.len());
            }
            if let Ok(batch) = proto::FetchBatch::decode(&bytes[..cut]) {
                let outcomes =
                    batch.samples.into_iter().filter_map(|sample| Delivery::try_from(sample).ok()?.outcome.ok());
                delivered.extend(outcomes.map(|delivered| delivered.way));
            }
        }
    }
    assert!(surveyed > 0 && listed > 0 && reported > 0, "what surveys, listings and reports say is among them");
    assert!(announced.contains("begins with Some([7, 3, 99, 0])") && announced.contains("reached 9"), "{announced:?}");
    assert!(looked_up > 0);
    let names = |ways: BTreeSet<Way>| ways.into_iter().map(|way| way.to_string()).collect::<Vec<_>>();
    assert_eq!(names(asked), ["encoded", "flipped+lossless", "features"]);
    assert_eq!(names(delivered), ["encoded", "jpeg-crop", "decoded", "decoded+lossless"]);
}
