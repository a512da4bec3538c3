//! Labellings whose features are brought from here: what they lack, and giving it to them.

use std::sync::Arc;

use headwater_types::SampleIndex;
use headwater_wire::labels::{BroughtFeatures, FailedFeature, FeaturesOf, OpenLabelling, OpenedLabelling, Relabel};
use headwater_wire::proto;
use tokio::time::{sleep, timeout};

use crate::connection::{Client, Server};
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::options::{ClientOptions, Retry};
use crate::patience::Patience;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// A labelling that is open on a server.
#[derive(Clone, Debug)]
pub struct LackingLabels {
    /// What is labelled; its page is the first.
    pub opened: OpenedLabelling,
    /// The samples of the partition that are to be labelled.
    pub samples: Vec<SampleIndex>,
}

/// Opens a labelling on a server, and asks which samples it lacks.
///
/// # Errors
/// A server that cannot be reached, that is too old, that has no labels or such model, or that labels it itself just
/// now; a dataset that changes meanwhile.
pub async fn open_labelling(
    address: &ServerAddress,
    (labelling, features): (&Relabel, &FeaturesOf),
    options: &ClientOptions,
    task: u64,
) -> Result<LackingLabels, ClientError> {
    let opened = page(address, (labelling, features, 0), options, task).await?;
    let (mut samples, mut next): (Vec<_>, _) = (opened.lacking(0).collect(), opened.next_page(0));
    while let Some(first) = next {
        let further = page(address, (labelling, features, first), options, task).await?;
        if (further.dataset_digest, further.labeller) != (opened.dataset_digest, opened.labeller) {
            let message = "the dataset or the model changed while a labelling was opened".to_owned();
            return Err(ClientError::DatasetChanged { server: address.clone(), message });
        }
        samples.extend(further.lacking(first));
        next = further.next_page(first);
    }
    Ok(LackingLabels { opened, samples })
}

async fn page(
    address: &ServerAddress,
    (labelling, features, first): (&Relabel, &FeaturesOf, u64),
    options: &ClientOptions,
    task: u64,
) -> Result<OpenedLabelling, ClientError> {
    let open = OpenLabelling { labelling: labelling.clone(), first, features: features.clone() };
    let request = proto::OpenLabellingRequest::from(open);
    let call = async |client: &Client, request| client.labels().open_labelling(request).await;
    let read = |opened: proto::OpenedLabelling| {
        OpenedLabelling::try_from(opened).map_err(|invalid: headwater_wire::status::Invalid| invalid.to_string())
    };
    inquire(address, options, task, (request, call), ClientError::NoBroughtLabels(address.clone()), read).await
}

/// Has a server label these features, and waits until that is durable. A server that restarts meanwhile is waited for.
/// Gives the samples of which it makes no scores.
///
/// # Errors
/// A server that cannot be reached for longer than the options' patience, or that refuses: its dataset or its model has
/// changed, or it labels itself.
pub async fn label_features(
    address: &ServerAddress,
    brought: &BroughtFeatures,
    options: &ClientOptions,
    task: u64,
) -> Result<Vec<FailedFeature>, ClientError> {
    let retry = options.retry.clone().consistent();
    let server = Server::new(address.clone(), options.access.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_samples(server.address(), &retry, task, Arc::default());
    let request = proto::LabelFeaturesRequest::from(brought.clone());
    loop {
        match bring(&server, request.clone(), &retry).await {
            Ok(labelled) => return Ok(labelled.unscored.into_iter().map(Into::into).collect()),
            Err(trouble) => sleep(patience.bear(trouble)?).await,
        }
    }
}

async fn bring(
    server: &Server,
    request: proto::LabelFeaturesRequest,
    retry: &Retry,
) -> Result<proto::LabelledFeatures, Trouble> {
    let client = server.connect().await?;
    let answer = timeout(retry.stall, client.labels().label_features(request)).await;
    let answer = answer.map_err(|_| Trouble::Silent("a call went silent"))?;
    let labelled = answer.map_err(|status| server.judge(&status))?.into_inner();
    server.put_back(client);
    Ok(labelled)
}
