//! What becomes of each kind of answer that a store can give.

use headwater_types::SampleIndex;

use super::server::{answer, serving, serving_side_by_side};
use super::*;

/// Answers listings with these bodies, by what the request's line contains.
fn canned(answers: &'static [(&'static str, u16, &'static str)]) -> String {
    serving(|line, _| {
        let (_, status, body) = answers.iter().find(|(asked, ..)| line.contains(asked)).unwrap();
        answer(*status, "", body)
    })
}

/// One object of ten bytes, `1.jpg`.
const ONE: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>1.jpg</Key>\
    <Size>10</Size><ETag>\"one\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>\
    </ListBucketResult>";

/// The object, in an answer with these further headers.
fn one(headers: &str) -> Vec<u8> {
    answer(200, &format!("ETag: \"one\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n{headers}"), "0123456789")
}

/// What a read of that object gives, where reads are answered so; and how many requests that took.
async fn read_one(read: impl Fn(usize) -> Vec<u8> + Send + 'static) -> (Result<Bytes, SampleFailure>, usize) {
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&reads);
    let endpoint = serving(move |line, _| match line.contains("list-type") {
        true => answer(200, "", ONE),
        false => read(counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst)),
    });
    let bucket = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap();
    let catalog = bucket.list(None).await.unwrap();
    let read = bucket.read(&catalog.extent(SampleIndex(0)).unwrap()).await;
    (read, reads.load(std::sync::atomic::Ordering::SeqCst))
}

#[tokio::test]
async fn a_store_that_throttles_is_asked_again_until_it_gives() {
    let slow = "<Error><Code>SlowDown</Code></Error>";
    let (read, requests) = read_one(move |nth| if nth < 6 { answer(503, "", slow) } else { one("") }).await;
    assert_eq!((&read.unwrap()[..], requests), (&b"0123456789"[..], 7));
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let began = Instant::now();
    let (read, requests) = read_one(|nth| if nth == 0 { answer(429, "Retry-After: 2\r\n", "") } else { one("") }).await;
    assert_eq!((read.unwrap().len(), requests), (10, 2));
    assert!(began.elapsed().as_secs_f64() > 1.9, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_of_another_length_or_that_ends_early_is_no_answer() {
    let short = b"HTTP/1.1 200 x\r\nETag: \"one\"\r\nContent-Length: 10\r\nConnection: close\r\n\r\n01234";
    let (read, requests) = read_one(move |nth| match nth {
        0 => answer(200, "ETag: \"one\"\r\n", "0123456"),
        1 => short.to_vec(),
        2 => answer(200, "Content-Type: text/html\r\n", "<html/>"),
        _ => one(""),
    })
    .await;
    assert_eq!((&read.unwrap()[..], requests), (&b"0123456789"[..], 4));
}

#[tokio::test]
async fn an_object_that_always_has_another_length_fails_alone_and_says_so() {
    let (read, requests) = read_one(|_| answer(200, "ETag: \"one\"\r\n", "0123456")).await;
    let failure = read.unwrap_err();
    assert_eq!((failure.kind, requests), (FailureKind::Unreadable, 10));
    assert!(failure.message.contains("7 bytes of an object of 10"), "{failure}");
    let (read, requests) = read_one(|_| answer(200, "ETag: \"two\"\r\n", "0123456789")).await;
    assert_eq!((read.unwrap_err().kind, requests), (FailureKind::Changed, 1), "another ETag is another object");
}

#[tokio::test]
async fn refused_reads_say_which_refusal_it_is() {
    for (status, code, kind, words) in [
        (400, "ExpiredToken", FailureKind::Forbidden, "the credentials have expired"),
        (403, "RequestTimeTooSkewed", FailureKind::Forbidden, "clock"),
        (403, "AccessDenied", FailureKind::Forbidden, "s3:GetObject"),
        (404, "NoSuchKey", FailureKind::NotFound, "gone"),
    ] {
        let body = format!("<Error><Code>{code}</Code></Error>");
        let (read, requests) = read_one(move |_| answer(status, "", &body)).await;
        let failure = read.unwrap_err();
        assert_eq!((failure.kind, requests), (kind, 1), "{failure}");
        assert!(failure.message.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_listing_that_is_not_whole_is_never_a_smaller_dataset() {
    for (body, words) in [
        (ONE.replace("false", "true"), "NextContinuationToken"),
        (ONE.replace("<KeyCount>1", "<KeyCount>2"), "says 2 keys and has 1"),
        (ONE[..ONE.len() / 2].to_owned(), "no whole listing"),
        ("<html xmlns=\"http://www.w3.org/1999/xhtml\"><body/></html>".to_owned(), "it begins \"<html"),
        ("<Error><Code>AccessDenied</Code></Error>".to_owned(), "AccessDenied"),
    ] {
        let shown = body.clone();
        let endpoint = serving(move |_, _| answer(200, "", &body));
        let error = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap().list(None).await.unwrap_err();
        assert!(error.to_string().contains(words), "{shown}: {error}");
    }
}

#[tokio::test]
async fn a_listing_outlasts_refusals_and_pages_that_are_cut_and_tells_of_it() {
    let endpoint = serving(|_, nth| match nth {
        0..4 => answer(503, "", ""),
        4 => answer(200, "", &ONE[..ONE.len() / 2]),
        5 => answer(200, "", "<Error><Code>InternalError</Code></Error>"),
        _ => answer(200, "", ONE),
    });
    let options = at(&endpoint);
    let bucket = Bucket::open("photos", "", &options, &settings()).unwrap();
    let trouble = async {
        while options.found.trouble().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        options.found.trouble().unwrap()
    };
    let (listed, trouble) = tokio::join!(bucket.list(None), trouble);
    assert_eq!(keys(&listed.unwrap()), ["1.jpg"]);
    assert!(trouble.contains("failed") && trouble.contains("status 503"), "{trouble}");
    assert_eq!(options.found.trouble(), None);
}

#[tokio::test]
async fn a_page_that_follows_upon_itself_ends_the_listing() {
    let more = ONE.replace(
        "<IsTruncated>false</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
    );
    let endpoint = serving(move |_, _| answer(200, "", &more));
    let error = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap().list(None).await.unwrap_err();
    assert!(error.to_string().contains("follows upon itself"), "{error}");
}

#[tokio::test]
async fn a_read_that_is_slow_is_asked_for_a_second_time() {
    let endpoint = {
        let first = std::sync::atomic::AtomicBool::new(true);
        serving_side_by_side(move |line| match line.contains("list-type") {
            true => (std::time::Duration::ZERO, answer(200, "", ONE)),
            false if first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
                (std::time::Duration::from_secs(60), Vec::new())
            }
            false => (std::time::Duration::ZERO, one("")),
        })
    };
    let bucket = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap();
    let catalog = bucket.list(None).await.unwrap();
    let began = Instant::now();
    assert_eq!(read(&bucket, &catalog, "1.jpg").await.unwrap(), b"0123456789");
    assert!(began.elapsed() < headwater_types::patience::S3_SILENCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_waits_for_samples_hears_that_they_wait_for_their_store() {
    let endpoint = serving(|line, _| match line.contains("list-type") {
        true => answer(200, "", ONE),
        false => answer(503, "", "<Error><Code>SlowDown</Code></Error>"),
    });
    let bucket = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap();
    let catalog = bucket.list(None).await.unwrap();
    assert_eq!(bucket.waiting(), None);
    let waiting = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if let Some(waiting) = bucket.waiting() {
                return waiting;
            }
        }
    };
    let waiting = tokio::select! {
        waiting = waiting => waiting,
        read = read(&bucket, &catalog, "1.jpg") => panic!("{read:?}"),
    };
    assert_eq!(waiting.reads, 1);
    assert!(waiting.to_string().contains("SlowDown"), "{waiting}");
    assert_eq!(bucket.waiting(), None, "a read that is given up waits no more");
}

#[tokio::test]
async fn a_folder_that_a_policy_denies_is_an_error_unless_it_is_to_be_skipped_and_stays_a_class() {
    const CLASSES: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <CommonPrefixes><Prefix>ant/</Prefix></CommonPrefixes>\
        <CommonPrefixes><Prefix>bee/</Prefix></CommonPrefixes>\
        <CommonPrefixes><Prefix>cat/</Prefix></CommonPrefixes></ListBucketResult>";
    const CAT: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <Contents><Key>cat/1.jpg</Key><Size>9</Size><ETag>\"1\"</ETag>\
        <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>";
    let endpoint = canned(&[
        ("delimiter", 200, CLASSES),
        ("prefix=ant", 403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
        ("prefix=bee", 403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
        ("prefix=cat", 200, CAT),
    ]);
    let options = at(&endpoint);
    let listed = |options: StoreOptions| async move {
        Bucket::open("photos", "", &options, &settings()).unwrap().list(None).await
    };
    let error = listed(options.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { count: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("ant (AccessDenied), bee (AccessDenied)"), "{error}");
    let catalog = listed(StoreOptions { skip_unreadable: true, ..options }).await.unwrap();
    assert_eq!((keys(&catalog), catalog.classes()), (vec!["cat/1.jpg"], &["ant", "bee", "cat"].map(String::from)[..]));
}
