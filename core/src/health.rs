//! Whether logins work in this process, for the health checks of a site.

use serde::Serialize;

use crate::error::Code;

/// Whether logins work, as far as this process knows without waiting for anybody.
///
/// It serializes to the JSON of the answer to a health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The worst status of all checks.
    pub status: HealthStatus,
    /// The result of each check.
    pub checks: HealthChecks,
}

/// The results of the checks of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthChecks {
    /// The broker's discovery document.
    pub discovery: HealthCheck,
    /// The broker's keys.
    pub keys: HealthCheck,
    /// The store of pending logins, in the last login that used it.
    pub store: HealthCheck,
    /// The clock, compared with the broker's.
    pub clock: HealthCheck,
}

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthCheck {
    /// How bad it is.
    pub status: HealthStatus,
    /// What is wrong; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// How bad the result of a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Nothing is known to be wrong.
    Pass,
    /// Logins fail or may fail soon, for a reason that other processes of the site share. Keep the process in
    /// service: another one would not do better.
    Warn,
    /// This process has never been able to serve a login. Other processes may be.
    Fail,
}

impl Health {
    pub(crate) fn new(checks: HealthChecks) -> Self {
        let HealthChecks {
            discovery,
            keys,
            store,
            clock,
        } = checks;
        let all = [discovery.status, keys.status, store.status, clock.status];
        Self {
            status: all.into_iter().max().unwrap_or(HealthStatus::Pass),
            checks,
        }
    }

    /// The HTTP status of the answer to a health check: 503 for [`HealthStatus::Fail`], else 200.
    pub fn http_status(&self) -> u16 {
        match self.status {
            HealthStatus::Fail => 503,
            HealthStatus::Pass | HealthStatus::Warn => 200,
        }
    }
}

impl HealthCheck {
    pub(crate) const PASS: Self = Self {
        status: HealthStatus::Pass,
        code: None,
    };

    pub(crate) fn warn(code: Option<Code>) -> Self {
        code.map_or(Self::PASS, |_| Self {
            status: HealthStatus::Warn,
            code,
        })
    }

    pub(crate) fn fail(code: Code) -> Self {
        Self {
            status: HealthStatus::Fail,
            code: Some(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(discovery: HealthCheck, store: HealthCheck) -> Health {
        Health::new(HealthChecks {
            discovery,
            keys: HealthCheck::PASS,
            store,
            clock: HealthCheck::PASS,
        })
    }

    #[test]
    fn the_worst_check_decides() {
        let slow = HealthCheck::warn(Some(Code::StoreUnavailable));
        let never = HealthCheck::fail(Code::BrokerTimeout);
        for (discovery, store, status, http) in [
            (
                HealthCheck::PASS,
                HealthCheck::PASS,
                HealthStatus::Pass,
                200,
            ),
            (HealthCheck::PASS, slow, HealthStatus::Warn, 200),
            (never, slow, HealthStatus::Fail, 503),
            (never, HealthCheck::PASS, HealthStatus::Fail, 503),
        ] {
            let health = health(discovery, store);
            assert_eq!((health.status, health.http_status()), (status, http));
        }
    }

    #[test]
    fn health_serializes_to_the_answer_of_a_health_check() {
        let slow = HealthCheck::warn(Some(Code::StoreUnavailable));
        let health = health(HealthCheck::PASS, slow);
        assert_eq!(
            serde_json::to_string(&health).unwrap(),
            r#"{"status":"warn","checks":{"discovery":{"status":"pass"},"keys":{"status":"pass"},"store":{"status":"warn","code":"store_unavailable"},"clock":{"status":"pass"}}}"#
        );
    }
}
