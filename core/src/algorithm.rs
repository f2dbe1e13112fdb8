//! The signature algorithms.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Code, Error, Result};

/// A signature algorithm a token may use (RFC 7518, section 3.1, and RFC 8037, section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// `EdDSA` with Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The name in tokens and key sets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// Reads the name exactly as tokens spell it.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "RS256" => Ok(Self::Rs256),
            "EdDSA" => Ok(Self::EdDsa),
            _ => Err(Error::new(
                Code::InvalidOption,
                "an algorithm is neither RS256 nor EdDSA",
            )),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::EdDsa];

    #[test]
    fn names_of_algorithms_are_read_as_they_are_written() {
        for algorithm in ALL {
            assert_eq!(
                algorithm.to_string().parse::<Algorithm>().unwrap(),
                algorithm
            );
        }
        let error = "rs256".parse::<Algorithm>().unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
    }
}
