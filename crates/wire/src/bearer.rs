//! The token that is shown with each call.

use headwater_access::Token;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A channel whose calls show a token, where there is one.
pub type BearerChannel = InterceptedService<Channel, Bearer>;

/// Shows a token with each call, as its file has it then.
#[derive(Clone, Debug, Default)]
pub struct Bearer(Option<Token>);

// === impl Bearer ===

impl Bearer {
    /// Shows this token.
    pub fn new(token: Option<Token>) -> Self {
        Self(token)
    }

    /// A channel whose calls show it.
    pub fn over(&self, channel: Channel) -> BearerChannel {
        InterceptedService::new(channel, self.clone())
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            let value = MetadataValue::try_from(format!("Bearer {}", token.now().expose()));
            let mut value = value.map_err(|_| Status::internal("a token that no header can carry"))?;
            value.set_sensitive(true);
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}
