//! The doctor.

use std::ffi::OsString;

use napi::Env;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use portier_client::doctor::run_command;

use crate::call::{self, Outcome};
use crate::completions::CompletionQueue;

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

/// Runs the doctor's command.
#[napi(catch_unwind)]
pub fn run_doctor(
    env: Env,
    completions: ClassInstance<'_, CompletionQueue>,
    arguments: Vec<String>,
    reads_environment: bool,
    versions: Vec<(String, String)>,
    colours: bool,
) -> Outcome<DoctorOutcome> {
    call::run(env, &completions, None, async move {
        let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
        let variable = move |name: &str| std::env::var(name).ok().filter(|_| reads_environment);
        let outcome = run_command(arguments, variable, versions, colours).await;
        Ok(DoctorOutcome {
            status: outcome.status,
            output: outcome.output,
            complaint: outcome.complaint,
        })
    })
}
