//! Names are had without photos: all in order, with the dataset's labels, whatever breaks.

use headwater_client::ClientError;

use crate::common::connect;
use crate::fake::{Fake, Holding};

fn holding(class: &str, photos: usize) -> Holding {
    let mut holding = Holding::of(class, photos);
    holding.photos[1].key = format!("flat{class}.jpg");
    holding
}

#[tokio::test]
async fn every_name_comes_once_in_order_also_where_a_call_breaks() {
    let fakes = [Fake::honest(holding("red", 9)), Fake::honest(holding("blue", 6))];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let listed = dataset.listing(0..15).await.unwrap();
    let label = |place: usize| listed[place].label.map(|label| dataset.classes()[label.0 as usize].as_str());
    assert_eq!((listed.len(), label(0), label(1), label(14)), (15, Some("red"), None, Some("blue")));
    assert_eq!((listed[8].key.as_str(), listed[9].key.as_str()), ("red/0008.jpg", "blue/0000.jpg"));
    assert_eq!(listed[0].stored.get(), 12 * (1 + 12 % 7));
    assert!(fakes.iter().all(|fake| fake.calls().0 == 2), "once for all, once for the half that was missing");
    assert_eq!(dataset.listing(7..11).await.unwrap(), listed[7..11]);
    assert_eq!(dataset.listing(9..9).await.unwrap(), []);
    assert!(matches!(dataset.listing(3..16).await, Err(ClientError::OutOfRange { index: 15, .. })));
    assert_ne!(dataset.names_digest().unwrap(), dataset.digest());
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_by_name() {
    let fakes = [Fake::honest(holding("red", 9)), Fake::honest(Holding { old: true, ..holding("blue", 6) })];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    for error in [dataset.names_digest().unwrap_err(), dataset.listing(0..15).await.unwrap_err()] {
        assert!(matches!(&error, ClientError::NoNames { server, .. } if *server == fakes[1].address()), "{error}");
        assert!(error.to_string().contains("upgrade that server"), "{error}");
    }
    assert_eq!(dataset.listing(0..9).await.unwrap().len(), 9, "of the others");
}
