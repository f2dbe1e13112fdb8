//! How events reach Node's `diagnostics_channel`.
//!
//! Each environment whose channel has subscribers has a subscriber of `tracing` of its own, in the scope
//! of which its operations are polled, wherever that is: what happens to a call is told where it was
//! made. Events wait here until JavaScript takes them: right after a call, or when it is woken.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use napi::bindgen_prelude::{Either3, Function, Null, Object};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Env, Status};
use napi_derive::napi;
use portier_client::events::{self, Event, Level, Listener, Value};
use tracing::Dispatch;

use crate::current_call::{self, CallSpans};
use crate::ids::id_to_js;

/// How many events may wait for JavaScript. More come only while its thread is busy.
const QUEUE_LIMIT: usize = 1_000;

/// Weak: waiting for events keeps no program running.
type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, true, true>;

thread_local! {
    /// The environments of this thread that listen, or did once. There is more than one only where
    /// an addon is loaded into several contexts.
    static ENVIRONMENTS: RefCell<Vec<Environment>> = const { RefCell::new(Vec::new()) };
    static POLLING: Cell<bool> = const { Cell::new(false) };
    /// The id of the call that JavaScript makes here, or made last.
    static STARTED_CALL: Cell<u64> = const { Cell::new(0) };
}

struct Environment {
    id: usize,
    subscriber: Option<Dispatch>,
}

/// The subscriber of an environment, if it listens.
pub(crate) fn subscriber(env: Env) -> Option<Dispatch> {
    ENVIRONMENTS.with_borrow(|environments| {
        let mut environments = environments.iter();
        let environment = environments.find(|environment| environment.id == id(env))?;
        environment.subscriber.clone()
    })
}

/// Polls in the scope of a subscriber, on the thread of its JavaScript.
pub(crate) fn with_subscriber<T>(subscriber: Option<&Dispatch>, poll: impl FnOnce() -> T) -> T {
    let Some(subscriber) = subscriber else {
        return poll();
    };
    POLLING.set(true);
    let polled = tracing::dispatcher::with_default(subscriber, poll);
    POLLING.set(false);
    polled
}

/// Says which call JavaScript makes on this thread.
pub(crate) fn set_started_call(call_id: u64) {
    STARTED_CALL.set(call_id);
}

/// The events of one environment.
#[napi]
pub struct Events {
    queue: Arc<EventQueue>,
    environment: usize,
}

/// Listens, until it is told to stop. `wake` is called when there is something to take that no call
/// has brought; it must not throw.
#[napi(catch_unwind)]
pub fn listen(env: Env, wake: Function<'_, (), UnknownReturnValue>) -> napi::Result<Events> {
    // With one subscriber alone, `tracing` would ask the thread that comes first about all threads.
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(events::subscriber(NoListener)));

    let wake = wake
        .build_threadsafe_function::<()>()
        .callee_handled::<true>()
        .weak::<true>()
        .build()?;
    let queue = Arc::new(EventQueue {
        queue: Mutex::default(),
        wake,
    });
    let listener = QueueListener(Arc::clone(&queue));
    let subscriber = Dispatch::new(CallSpans(events::subscriber(listener)));
    let environment = id(env);
    if !set(environment, Some(subscriber.clone())) {
        ENVIRONMENTS.with_borrow_mut(|environments| {
            environments.push(Environment {
                id: environment,
                subscriber: Some(subscriber),
            });
        });
        env.add_env_cleanup_hook(environment, forget)?;
    }
    Ok(Events { queue, environment })
}

#[napi]
impl Events {
    /// Takes what has happened: an event, the id of its call, the next event, and so on. The id
    /// is null for the call that is being made or was made last, if this is part of making it, and 0 for
    /// what belongs to no call.
    #[napi(catch_unwind)]
    pub fn take<'env>(
        &self,
        env: &'env Env,
        in_call: bool,
    ) -> napi::Result<Vec<Either3<Object<'env>, f64, Null>>> {
        let Queue { events, dropped } = std::mem::take(&mut *self.queue.locked());
        let dropped = (dropped > 0).then(|| (events::dropped(dropped), 0));
        let called = in_call.then(|| STARTED_CALL.get());
        let mut taken = Vec::with_capacity(2 * events.len());
        for (event, call_id) in events.into_iter().chain(dropped) {
            taken.push(Either3::A(to_js(env, event)?));
            taken.push(if called == Some(call_id) {
                Either3::C(Null)
            } else {
                Either3::B(id_to_js(call_id))
            });
        }
        Ok(taken)
    }

    /// Listens no more.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        set(self.environment, None);
    }
}

/// Has an environment listen or not. Returns whether it is known.
fn set(environment: usize, subscriber: Option<Dispatch>) -> bool {
    ENVIRONMENTS.with_borrow_mut(|environments| {
        let mut environments = environments.iter_mut();
        let known = environments.find(|known| known.id == environment);
        known.map(|known| known.subscriber = subscriber).is_some()
    })
}

/// Forgets an environment that comes to its end.
fn forget(environment: usize) {
    // Of a thread that ends, all may be gone already.
    let _ = ENVIRONMENTS.try_with(|environments| {
        let others = |known: &Environment| known.id != environment;
        environments.borrow_mut().retain(others);
    });
}

fn id(env: Env) -> usize {
    env.raw() as usize
}

fn to_js(env: &Env, event: Event) -> napi::Result<Object<'_>> {
    let mut fields = Object::new(env)?;
    for (name, value) in event.fields {
        match value {
            Value::Flag(flag) => fields.set(name, flag),
            Value::Integer(integer) => fields.set(name, integer),
            Value::Number(number) => fields.set(name, number),
            Value::Text(text) => fields.set(name, text),
            other => fields.set(name, format!("{other:?}")),
        }?;
    }
    let mut object = Object::new(env)?;
    object.set("level", name(event.level))?;
    object.set("message", event.message)?;
    object.set("fields", fields)?;
    Ok(object)
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    }
}

/// Events on their way to JavaScript. It holds nothing of JavaScript but the function, which does
/// nothing once its environment is gone.
struct EventQueue {
    queue: Mutex<Queue>,
    wake: Wake,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<(Event, u64)>,
    dropped: u64,
}

impl EventQueue {
    fn locked(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct QueueListener(Arc<EventQueue>);

impl Listener for QueueListener {
    fn wants(&self, _: Level) -> bool {
        true
    }

    fn hear(&self, event: Event) {
        let mut queue = self.0.locked();
        if queue.events.len() >= QUEUE_LIMIT {
            queue.dropped += 1;
            return;
        }
        let is_first = queue.events.is_empty();
        queue
            .events
            .push_back((event, current_call::id().unwrap_or(0)));
        drop(queue);
        // A call on the thread of JavaScript takes its events itself.
        if is_first && !POLLING.get() {
            self.0
                .wake
                .call(Ok(()), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

struct NoListener;

impl Listener for NoListener {
    fn wants(&self, _: Level) -> bool {
        false
    }

    fn hear(&self, _: Event) {}
}
