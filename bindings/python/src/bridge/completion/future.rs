//! Completing an `asyncio` future.

use pyo3::prelude::*;

use crate::bridge::messages::Convert;
use crate::cells::intern;

/// Gives a future its result; for the thread of its event loop.
pub(super) fn complete_future(future: &Bound<'_, PyAny>, convert: Convert) {
    if let Err(error) = try_complete(future, convert) {
        // Other futures are waiting for their results as well.
        error.write_unraisable(future.py(), Some(future));
    }
}

fn try_complete(future: &Bound<'_, PyAny>, convert: Convert) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match convert(py) {
        Ok(result) => future.call_method1(intern!(py, "set_result"), (result,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))?,
    };
    Ok(())
}
