//! Fields come with each sample, in the order in which they were asked for, and are checked.

use std::sync::Arc;

use headwater_client::FetchRequest;
use headwater_types::{Field, FieldKind, FieldValue, Fields};

use crate::common::{connect, encoded, gather};
use crate::fake::{Fake, Holding, Photo, Step};

fn holding(class: &str, fields: &[(&str, FieldKind)]) -> Holding {
    let photo = |n: usize| Photo { key: format!("{class}/{n}"), bytes: vec![7; n] };
    let field = |(name, kind): &(&str, FieldKind)| Field { name: (*name).to_owned(), kind: *kind };
    let fields = Fields::new(fields.iter().map(field).collect()).unwrap();
    Holding { photos: (1..4).map(photo).collect(), fields, ..Holding::default() }
}

const BOTH: [(&str, FieldKind); 2] = [("caption", FieldKind::Text), ("size", FieldKind::Integer)];

fn asking(names: &[&str]) -> FetchRequest {
    FetchRequest { fields: names.iter().map(|&name| name.to_owned()).collect(), ..encoded(0..6, true) }
}

#[tokio::test]
async fn fields_come_with_their_samples_from_every_server() {
    let fakes = [Fake::honest(holding("red", &BOTH)), Fake::honest(holding("blue", &BOTH))];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let samples = gather(dataset.fetch(asking(&["size", "caption"])).unwrap()).await;
    for (sample, (class, n)) in
        samples.iter().zip(["red", "blue"].iter().flat_map(|class| (1..4).map(move |n| (class, n))))
    {
        assert_eq!(sample.fields, [FieldValue::Integer(n), FieldValue::Text(format!("{class}/{n}"))]);
    }
    assert!(gather(dataset.fetch(asking(&[])).unwrap()).await.iter().all(|sample| sample.fields.is_empty()));
}

#[tokio::test]
async fn a_field_that_is_not_there_or_not_the_same_is_refused_before_any_call() {
    let number = [("size", FieldKind::Number), ("mood", FieldKind::Text)];
    let fakes = [Fake::honest(holding("red", &BOTH)), Fake::honest(holding("blue", &number))];
    let dataset = connect(&[&fakes[0]]).await;
    let refused = |names: &[&str]| {
        let request = FetchRequest { indices: (0..3).into(), ..asking(names) };
        dataset.fetch(request).unwrap_err().to_string()
    };
    assert!(refused(&["mood"]).ends_with("there is no field \"mood\": the dataset has caption and size"));
    assert!(refused(&["size", "size"]).contains("named twice"));
    let both = connect(&[&fakes[0], &fakes[1]]).await;
    assert_eq!(both.fields(), []);
    let error = both.fetch(asking(&["size"])).unwrap_err().to_string();
    assert!(
        error.starts_with("field \"size\" is of kind integer on the first server and of kind number on"),
        "{error}"
    );
    assert!(both.fetch(asking(&["caption"])).unwrap_err().to_string().contains("the dataset has size and mood"));
}

#[tokio::test]
async fn a_server_that_sends_other_fields_than_were_asked_for_fails_the_sample_alone() {
    let fake = Fake::start(
        holding("red", &BOTH),
        Arc::new(|holding, _, fetch| {
            let mut samples: Vec<_> = fetch.iter().map(|asked| holding.sample(fetch, asked)).collect();
            samples[0].fields.pop();
            samples[1].fields.swap(0, 1);
            Ok(Box::new([Step::Send(samples)].into_iter()))
        }),
    );
    let dataset = connect(&[&fake]).await;
    let request = FetchRequest { indices: (0..3).into(), ..asking(&["caption", "size"]) };
    let samples = gather(dataset.fetch(request).unwrap()).await;
    for (at, sample) in samples.iter().enumerate() {
        assert_eq!((sample.outcome.is_err(), sample.fields.is_empty()), (at < 2, at < 2));
    }
    let words = samples[0].outcome.as_ref().unwrap_err().to_string();
    assert!(words.contains("its fields are not those that were asked for"), "{words}");
}
