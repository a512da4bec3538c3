//! A bucket against servers of the tests' own, and against a real S3 protocol.

mod answers;
mod fake;
mod moto;
mod server;
mod tar;
mod variables;

use headwater_types::FailureKind;

use super::*;
use crate::options::S3Options;

fn of_variables(variables: &[(&str, &str)]) -> Settings {
    Settings::read(variables.iter().map(|&(name, value)| (name.into(), value.into()))).unwrap()
}

fn settings() -> Settings {
    of_variables(&[("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "us-east-1")])
}

fn at(endpoint: &str) -> StoreOptions {
    let s3 = S3Options { endpoint: Some(endpoint.parse().unwrap()), allow_http: false };
    StoreOptions { s3, ..StoreOptions::default() }
}

fn keys(catalog: &Catalog) -> Vec<&str> {
    catalog.iter().map(|(_, entry)| entry.key).collect()
}

async fn read(bucket: &Bucket, catalog: &Catalog, key: &str) -> Result<Vec<u8>, FailureKind> {
    let index = catalog.find(key).unwrap();
    let read = bucket.read(&catalog.extent(index).unwrap()).await;
    read.map(Vec::from).map_err(|failure| failure.kind)
}

#[tokio::test]
async fn missing_credentials_are_an_error_that_says_what_to_set() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = of_variables(&[("AWS_METADATA_ENDPOINT", &format!("http://{closed}"))]);
    let bucket = Bucket::open("photos", "", &StoreOptions::default(), &settings).unwrap();
    let error = bucket.list(None).await.unwrap_err();
    assert!(matches!(error, StoreError::NoCredentials { .. }), "{error:?}");
    assert!(error.to_string().contains("set AWS_ACCESS_KEY_ID"), "{error}");
}

#[tokio::test]
async fn a_refusal_is_known_by_the_code_that_s3_gives() {
    let bucket = Bucket::open("photos", "cats", &StoreOptions::default(), &settings()).unwrap();
    let error = |status, code: &str| {
        let code = Some(code.to_owned());
        bucket.access.error(&fault::Fault::Answered(Box::new(answer::Answer { status, code, ..Default::default() })))
    };
    let refused = error(403, "SignatureDoesNotMatch");
    assert!(
        refused.to_string().starts_with("s3://photos/cats refused the listing: check the credentials"),
        "{refused}"
    );
    let expired = error(400, "ExpiredToken");
    assert!(
        expired.to_string().starts_with("s3://photos/cats refused the listing: the credentials have expired"),
        "{expired}"
    );
    let skewed = error(403, "RequestTimeTooSkewed");
    assert!(skewed.to_string().contains("clock") && !skewed.to_string().contains("s3:ListBucket"), "{skewed}");
    assert!(!refused.is_retryable() && error(503, "SlowDown").is_retryable());
}

#[tokio::test]
async fn a_place_is_endpoint_bucket_and_prefix() {
    let place = |bucket: &str, prefix: &str, endpoint: Option<&str>| {
        let options = endpoint.map_or_else(StoreOptions::default, at);
        Bucket::open(bucket, prefix, &options, &settings()).unwrap().place()
    };
    let (near, far) = (Some("http://127.0.0.1:9000"), Some("https://store.example"));
    let places = [
        place("photos", "", None),
        place("photos", "cats", None),
        place("cats", "photos", None),
        place("photos", "cats", near),
        place("photos", "cats", far),
    ];
    for (at, one) in places.iter().enumerate() {
        assert!(!places[..at].contains(one), "{at}");
    }
    assert_eq!(place("photos", "cats", Some("http://127.0.0.1:9000/")), place("photos", "cats", near));
}
