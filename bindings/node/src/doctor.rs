//! The doctor.

use std::ffi::OsString;

use napi::bindgen_prelude::{AsyncTask, Result};
use napi::{Env, Task};
use napi_derive::napi;
use portier_client::doctor::{self, CommandOutcome};

/// What a run of the doctor's command has printed, and its exit status.
#[napi(object, object_from_js = false)]
pub struct DoctorOutcome {
    /// 0, 1 or 2.
    pub status: u8,
    /// For the standard output.
    pub output: String,
    /// For the standard error output.
    pub complaint: String,
}

/// A run in a thread of the pool.
pub struct Doctor {
    arguments: Vec<String>,
    reads_environment: bool,
    versions: Vec<(String, String)>,
    colours: bool,
}

impl Task for Doctor {
    type Output = CommandOutcome;
    type JsValue = DoctorOutcome;

    fn compute(&mut self) -> Result<CommandOutcome> {
        let arguments = std::mem::take(&mut self.arguments);
        Ok(doctor::run_command_blocking(
            arguments.into_iter().map(OsString::from).collect(),
            self.reads_environment,
            std::mem::take(&mut self.versions),
            self.colours,
        ))
    }

    fn resolve(&mut self, _: Env, outcome: CommandOutcome) -> Result<DoctorOutcome> {
        Ok(DoctorOutcome {
            status: outcome.status,
            output: outcome.output,
            complaint: outcome.complaint,
        })
    }
}

/// Runs the doctor's command.
#[napi(catch_unwind)]
pub fn run_doctor(
    arguments: Vec<String>,
    reads_environment: bool,
    versions: Vec<(String, String)>,
    colours: bool,
) -> AsyncTask<Doctor> {
    AsyncTask::new(Doctor {
        arguments,
        reads_environment,
        versions,
        colours,
    })
}
