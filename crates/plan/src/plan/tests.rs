//! What a plan's file promises.

use proptest::prelude::*;

use super::*;
use crate::ResourceTime;
use crate::quantities::Cores;
use crate::resources::{Resource, ServerResources};

fn plan(ways: &[&str]) -> Plan {
    let servers = vec![Server {
        address: "a:1".into(),
        digest: Some(Digest::of(b"a")),
        first: 0,
        samples: ways.len() as u64,
        cpu_workers: Some(Cores::from(2)),
        devices: None,
        lacks: Vec::new(),
    }];
    let resources = Resources {
        bandwidth: Some("430Mbps".parse().unwrap()),
        trainer_cores: None,
        trainer_devices: None,
        accelerator_rate: None,
        servers: vec![ServerResources { cores: Cores::new(1.5).unwrap(), bandwidth: None, devices: None }],
    };
    let inputs = Inputs {
        profile: Digest::of(b"profile"),
        source: Source::Measured,
        dataset: Some("photos".parse().unwrap()),
        dataset_digest: None,
        recipe: Some("imagenet-train".into()),
        recipe_digest: Some(Digest::of(b"recipe")),
        model: None,
        model_digest: None,
        seed: Some(Seed(u64::MAX)),
        epoch: Some(Epoch(3)),
        allowed: vec![Way::ENCODED],
        resources,
        servers,
    };
    let time = ResourceTime { resource: Resource::StorageCpu(0), seconds: 0.1 + 0.2, price: 1.0 };
    let prediction = Prediction {
        offloaded: 1,
        bytes: 12,
        epoch: 0.1 + 0.2,
        bound: 0.3,
        gap: f64::EPSILON,
        proven: false,
        bottleneck: Resource::StorageCpu(0),
        resources: vec![time],
    };
    let mut table: Vec<Way> = Vec::new();
    let mut choices = Vec::new();
    for way in ways {
        let way = way.parse().unwrap();
        if !table.contains(&way) {
            table.push(way);
        }
        choices.push(table.iter().position(|known| *known == way).unwrap() as u8);
    }
    Plan::new(Algorithm::Optimal, inputs, prediction, table, choices).unwrap()
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    for ways in [&["encoded"][..], &[], &["flipped+lossless", "encoded", "encoded", "jpeg-crop", "encoded"]] {
        let plan = plan(ways);
        let text = plan.to_text();
        let read = Plan::parse(text.as_bytes()).unwrap();
        assert_eq!(read, plan, "{text}");
        assert_eq!((read.to_text(), read.digest()), (text.clone(), Digest::of(text.as_bytes())));
    }
    let mut bytes = Vec::new();
    let plan = plan(&["encoded", "encoded", "cropped"]);
    plan.write_to(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"---\n0-1 encoded\n2 cropped\n"));
    assert_eq!(plan.counts(), [(Way::ENCODED, 2), ("cropped".parse().unwrap(), 1)]);
}

#[test]
fn a_plan_for_features_names_their_model() {
    let mut plan = plan(&["encoded", "features"]);
    assert!(
        matches!(Plan::parse(plan.to_text().as_bytes()), Err(PlanFileError::Content(what)) if what.contains("model"))
    );
    plan.inputs.model = Some("net".parse().unwrap());
    plan.inputs.model_digest = Some(Digest::of(b"net"));
    let text = plan.to_text();
    assert_eq!(Plan::parse(text.as_bytes()).unwrap(), plan, "{text}");
    assert!(plan.sophon_numbers().is_err());
}

#[test]
fn what_is_no_plan_is_refused_with_its_line() {
    let text = plan(&["encoded", "encoded", "cropped"]).to_text();
    let last = text.lines().count() as u64;
    let read = |from: &str, to: &str| Plan::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err();
    assert!(
        matches!(read("2 cropped", "3 cropped"), PlanFileError::Order { line, expected: 2, given: 3 } if line == last)
    );
    assert!(matches!(read("0-1 ", "0-2 "), PlanFileError::Order { line, expected: 3, given: 2 } if line == last));
    assert!(matches!(read("0-1 ", "1-0 "), PlanFileError::Order { .. }));
    assert!(matches!(read("2 cropped", ""), PlanFileError::Run { .. }));
    assert!(matches!(read("2 cropped\n", ""), PlanFileError::Samples { expected: 3, given: 2 }));
    assert!(matches!(read("2 cropped", "2-999999999 cropped"), PlanFileError::Samples { .. }));
    assert!(matches!(read("2 cropped", "2 croped"), PlanFileError::Way { line, .. } if line == last));
    assert!(matches!(read("2 cropped", "+2 cropped"), PlanFileError::Run { .. }));
    assert!(matches!(read("---", "--"), PlanFileError::NoRule));
    assert!(matches!(read("version = 1", "version = 2"), PlanFileError::Version { version: 2, .. }));
    assert!(matches!(read("headwater-plan", "plan"), PlanFileError::Version { .. }));
    assert!(matches!(read("samples = 3", "samples = 4"), PlanFileError::Content(_)));
    assert!(matches!(read("epoch = 0.3", "epoch = -0.3"), PlanFileError::Content(_)));
    assert!(matches!(read("430Mbps", "430"), PlanFileError::Head(_)));
    assert!(matches!(Plan::parse(b"\xff"), Err(PlanFileError::NotText(1))));
    assert!(matches!(Plan::parse(b""), Err(PlanFileError::NoRule)));
}

#[test]
fn a_way_without_a_number_is_named_and_not_exported() {
    let csv = |ways: &[&str]| {
        let mut bytes = Vec::new();
        plan(ways).write_sophon_csv(&mut bytes).map(|()| String::from_utf8(bytes).unwrap())
    };
    let all = ["encoded", "decoded", "cropped", "flipped", "tensor", "normalized"];
    assert_eq!(csv(&all).unwrap(), "index,split\n0,-1\n1,0\n2,1\n3,2\n4,3\n5,4\n");
    let error = csv(&["encoded", "jpeg-crop", "flipped+lossless", "jpeg-crop"]).unwrap_err().to_string();
    assert!(error.contains("jpeg-crop (2 samples), flipped+lossless (1 samples)"), "{error}");
}

proptest! {
    #[test]
    fn any_change_of_a_plan_is_another_plan_or_an_error(at: prop::sample::Index, byte: u8, tear: bool) {
        let original = plan(&["encoded", "encoded", "cropped", "flipped+lossless", "encoded"]);
        let mut bytes = original.to_text().into_bytes();
        let at = at.index(bytes.len());
        if tear { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(read) = Plan::parse(&bytes) {
            prop_assert_eq!(Plan::parse(read.to_text().as_bytes()), Ok(read));
        }
    }
}
