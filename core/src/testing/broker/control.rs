//! What a test controls while the broker runs: its modes, its inbox, its time.

use std::time::{Duration, SystemTime};

use super::scenario::Scenario;
use super::{DevBroker, Mail, Mode};
use crate::error::{Code, Error, Result};
use crate::testing::time::MovableClock;

impl DevBroker {
    /// Changes how the broker responds to logins.
    pub fn set_mode(&self, mode: Mode) {
        self.state.modes().usual = mode;
    }

    /// Sets how the broker responds to the logins of an address, in place of its mode. In `pattern`, `*` stands for
    /// any text, as in `*@example.com`. An address comes before a pattern, and a long pattern before a short one.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] when `pattern` cannot match an address.
    pub fn set_account(&self, pattern: &str, mode: Mode) -> Result<()> {
        let pattern = pattern.parse()?;
        self.state.modes().set_account(pattern, mode);
        Ok(())
    }

    /// Sets how the broker responds to the next logins, one after the other, whatever their addresses. They replace
    /// earlier ones.
    pub fn next_logins(&self, modes: impl IntoIterator<Item = Mode>) {
        self.state.modes().set_next(modes);
    }

    /// Follows a script.
    ///
    /// # Errors
    /// As [`DevBroker::set_account`].
    pub fn apply(&self, scenario: Scenario) -> Result<()> {
        scenario.apply(&self.state)
    }

    /// The last mails that the real broker would have sent, the newest one last.
    pub fn inbox(&self) -> Vec<Mail> {
        self.state.inbox.mails()
    }

    /// Deletes all mails. Their links and codes do not work any more.
    pub fn clear_inbox(&self) {
        self.state.inbox.clear();
    }

    /// Closes connections without a response from now on, or serves them again.
    pub fn set_reachable(&self, reachable: bool) {
        self.state.set_reachable(reachable);
    }

    /// The time of the broker.
    pub fn now(&self) -> SystemTime {
        self.state.clock.now()
    }

    /// Stops the time of this broker and of its clients, now or at another time. Its clients are all clients of
    /// this process whose broker has this origin, whoever made them, except those with a clock of their own. The
    /// clients of other brokers are not affected.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] when the broker has a clock of its own, or when its origin is not on this machine.
    pub fn freeze_time(&self, at: Option<SystemTime>) -> Result<()> {
        self.movable()?.freeze(at);
        Ok(())
    }

    /// Moves the time of this broker and of its clients forward; see [`DevBroker::freeze_time`]. It may stand still
    /// or not.
    ///
    /// # Errors
    /// As [`DevBroker::freeze_time`], and when the time is out of range.
    pub fn advance_time(&self, by: Duration) -> Result<()> {
        self.movable()?.advance(by)
    }

    /// Returns to the time of the system; [`DevBroker::stop`] does so, too. What has expired meanwhile, such as
    /// cached documents, stays expired.
    pub fn resume_time(&self) {
        if let Some(time) = &self.time {
            time.resume();
        }
    }

    /// Undoes everything except the rotation of keys, so that one broker can serve many tests: modes, accounts, next
    /// logins, faults and held paths, the inbox, the counters, the time.
    pub fn reset(&self) {
        self.resume_time();
        self.state.reset();
    }

    fn movable(&self) -> Result<&MovableClock> {
        self.time.as_ref().ok_or_else(|| {
            let problem = "the time of this broker cannot be moved: it has a clock of its own, or its origin is \
                           not on this machine";
            Error::new(Code::InvalidOption, problem)
        })
    }
}
