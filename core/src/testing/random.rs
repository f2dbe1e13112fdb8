//! Predictable randomness.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::clock::Random;
use crate::error::{Code, Error, Result};

/// A [`Random`] that returns the given byte strings in order, one per call, and then the big-endian numbers
/// 1, 2, 3, … with the requested length.
#[derive(Debug, Default)]
pub struct ManualRandom {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    given: VecDeque<Vec<u8>>,
    count: u64,
}

impl ManualRandom {
    /// Makes a generator that starts with these strings.
    pub fn new<T: Into<Vec<u8>>>(given: impl IntoIterator<Item = T>) -> Self {
        Self {
            state: Mutex::new(State {
                given: given.into_iter().map(Into::into).collect(),
                count: 0,
            }),
        }
    }
}

impl Random for ManualRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(given) = state.given.pop_front() else {
            state.count += 1;
            bytes.fill(0);
            for (byte, digit) in bytes.iter_mut().rev().zip(state.count.to_le_bytes()) {
                *byte = digit;
            }
            return Ok(());
        };
        if given.len() != bytes.len() {
            return Err(Error::new(
                Code::Internal,
                format_args!(
                    "the test's random bytes have another length given={} wanted={}",
                    given.len(),
                    bytes.len()
                ),
            ));
        }
        bytes.copy_from_slice(&given);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_given_bytes_and_then_numbers() {
        let random = ManualRandom::new([[7; 4], [8; 4]]);
        let next = || {
            let mut bytes = [0xff; 4];
            random.fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(next(), [7; 4]);
        assert_eq!(next(), [8; 4]);
        assert_eq!(next(), [0, 0, 0, 1]);
        assert_eq!(next(), [0, 0, 0, 2]);
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        let error = ManualRandom::new([[1; 3]]).fill(&mut [0; 4]).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
    }
}
