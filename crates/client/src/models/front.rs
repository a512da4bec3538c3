//! The front of a network, opened on all servers that have the model.

use futures::future::try_join_all;
use headwater_types::{ModelName, NetworkCut};
use headwater_wire::models::{AskedFront, Front as OpenFront};
use headwater_wire::proto;
use headwater_wire::status::Invalid;

use crate::asked_model::Front;
use crate::connection::Client;
use crate::dataset::{Dataset, Inner};
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::model::{ModelInfo, RegisteredModel};

impl Dataset {
    /// Has every server open the front of a model's network, up to this cut. The model must be on all of them. It takes
    /// each server seconds, once; a server that is restarted opens it again when it is asked for samples.
    ///
    /// # Errors
    /// A server without the model, one that cannot cut it so, that is too old, or that cannot be reached.
    pub async fn open_front(&self, model: &ModelName, cut: &NetworkCut) -> Result<Front, ClientError> {
        let info = self.model(model)?;
        let Inner { union, options, .. } = &*self.0;
        let asked = AskedFront { model: model.clone(), digest: info.digest, cut: cut.clone() };
        let opened = (0..).zip(&union.partitions).map(|(task, partition)| {
            let (request, address) = (proto::OpenFrontRequest::from(asked.clone()), &partition.address);
            async move {
                let call = async |client: &Client, request| client.models().open_front(request).await;
                let too_old = ClientError::NoFronts(address.clone());
                let read =
                    |front: proto::Front| OpenFront::try_from(front).map_err(|invalid: Invalid| invalid.to_string());
                let front = inquire(address, options, task, (request, call), too_old, read).await?;
                Ok::<_, ClientError>((address, front))
            }
        });
        let opened = try_join_all(opened).await?;
        let digest = cut.digest(info.digest, &info.output);
        let elements = opened.first().map_or(0, |(_, front)| front.elements);
        if let Some((address, _)) =
            opened.iter().find(|(_, front)| (front.digest, front.elements) != (digest, elements))
        {
            let message = format!("it opens another front of the model {model} than the cut {cut} is");
            return Err(ClientError::Protocol { server: (*address).clone(), message });
        }
        let servers = vec![true; union.partitions.len()];
        let devices = opened.iter().map(|(_, front)| front.devices).collect();
        let info = ModelInfo { digest, output: cut.to_string(), feature_len: elements, ..info };
        let max_batch = opened.iter().map(|(_, front)| front.max_batch).min().unwrap_or(1);
        let model = RegisteredModel { info, servers, devices, unrated: false };
        Ok(Front { model, cut: cut.clone(), max_batch })
    }
}
