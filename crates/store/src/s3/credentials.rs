//! Credentials that come from elsewhere while the program runs: looked at before they are put into a header, where
//! `object_store` panics on what no header can hold.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use object_store::{CredentialProvider, Error, Result};

use crate::endpoint::is_header;

/// What gives credentials, and is not trusted to give sound ones.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) inner: AwsCredentialProvider,
    /// The file whose content the provider sends as it is: `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub(super) sent_file: Option<PathBuf>,
}

// === impl Checked ===

#[async_trait]
impl CredentialProvider for Checked {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        if let Some(file) = &self.sent_file {
            let token = tokio::fs::read_to_string(file).await;
            let token = token.map_err(|error| unsound(format!("{} cannot be read: {error}", file.display())))?;
            if !token.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
                let words = "holds a line break or another letter that no token has: write it without";
                return Err(unsound(format!("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE {} {words}", file.display())));
            }
        }
        let credential = self.inner.get_credential().await?;
        let token_is_sound = credential.token.as_deref().is_none_or(is_header);
        if is_header(&credential.key_id) && token_is_sound {
            return Ok(credential);
        }
        Err(unsound("the credentials that the machine's role gives hold a blank or a line break".to_owned()))
    }
}

fn unsound(reason: String) -> Error {
    Error::Generic { store: "S3", source: reason.into() }
}
