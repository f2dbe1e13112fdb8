//! How events reach Node's `diagnostics_channel`.
//!
//! Each environment whose channel has subscribers has its own subscriber of `tracing`. It is active while
//! operations of the environment are polled, on whatever thread. So events of a call reach the environment
//! that made the call. They wait in a queue until JavaScript takes them: after a call, or when it is woken.

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

/// How many events may wait for JavaScript. The queue is full only if the thread of JavaScript is busy.
const QUEUE_LIMIT: usize = 1_000;

/// Weak: it does not keep the process alive.
type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, true, true>;

thread_local! {
    /// The environments of this thread that have subscribed to events at least once. There is more than one
    /// only if an addon is loaded into several contexts.
    static ENVIRONMENTS: RefCell<Vec<Environment>> = const { RefCell::new(Vec::new()) };
    /// Whether a poll is in progress on this thread, which is the thread of JavaScript.
    static POLLING: Cell<bool> = const { Cell::new(false) };
    /// The id of the call that JavaScript makes on this thread, or made last.
    static STARTED_CALL: Cell<u64> = const { Cell::new(0) };
}

struct Environment {
    id: usize,
    subscriber: Option<Dispatch>,
}

/// The subscriber of an environment, if it has subscribed to events.
pub(crate) fn subscriber(env: Env) -> Option<Dispatch> {
    ENVIRONMENTS.with_borrow(|environments| {
        let mut environments = environments.iter();
        let environment = environments.find(|environment| environment.id == id(env))?;
        environment.subscriber.clone()
    })
}

/// Polls with a subscriber, on the thread of its JavaScript.
pub(crate) fn with_subscriber<T>(subscriber: Option<&Dispatch>, poll: impl FnOnce() -> T) -> T {
    let Some(subscriber) = subscriber else {
        return poll();
    };
    POLLING.set(true);
    let polled = tracing::dispatcher::with_default(subscriber, poll);
    POLLING.set(false);
    polled
}

/// Sets the call that JavaScript makes on this thread.
pub(crate) fn set_started_call(call_id: u64) {
    STARTED_CALL.set(call_id);
}

/// The subscription of one environment.
#[napi]
pub struct Events {
    queue: Arc<EventQueue>,
    environment: usize,
}

/// Subscribes to events. `wake` is called when events wait that happened outside of a call; it must not
/// throw.
#[napi(catch_unwind)]
pub fn listen(env: Env, wake: Function<'_, (), UnknownReturnValue>) -> napi::Result<Events> {
    // With a single subscriber, `tracing` asks that of the current thread, and caches its answer for all
    // threads.
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
    /// Takes the waiting events: an event, the id of its call, the next event, and so on. With `in_call`,
    /// the id is null for events of the call that is being made or was made last. Without a call it is 0.
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

    /// Unsubscribes.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        set(self.environment, None);
    }
}

/// Sets the subscriber of an environment. Returns whether the environment is known.
fn set(environment: usize, subscriber: Option<Dispatch>) -> bool {
    ENVIRONMENTS.with_borrow_mut(|environments| {
        let mut environments = environments.iter_mut();
        let known = environments.find(|known| known.id == environment);
        known.map(|known| known.subscriber = subscriber).is_some()
    })
}

/// Removes an environment that ends.
fn forget(environment: usize) {
    // If the thread ends, its variables may be destroyed already.
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

/// The events that wait for JavaScript. The function is the only reference to JavaScript in here.
/// It does nothing after its environment has ended.
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
        // A call on the thread of JavaScript takes its events when the poll is over.
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
