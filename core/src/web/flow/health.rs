//! Answers health checks.

use super::super::reply::{Reply, Step};
use super::super::request::WebRequest;
use super::LoginFlow;

impl LoginFlow {
    /// Answers a health check, for a load balancer or a monitoring system; see
    /// [`Client::health`](crate::Client::health).
    ///
    /// The status is 503 if this process has never been able to serve a login, else 200. The body is JSON and
    /// contains no secret. It does not wait.
    pub fn health(&self, request: &WebRequest) -> Step {
        if !matches!(request.head.method.as_str(), "GET" | "HEAD") {
            return Reply::method_not_allowed("GET, HEAD").into();
        }
        let health = self.client.health();
        let status = health.http_status();
        let value = serde_json::to_value(health).unwrap_or_default();
        Reply::json(status, "application/json", &value).into()
    }
}
