//! Owns who hears every event besides the log, whatever the log's level: the one who counts them.

use std::sync::{Arc, PoisonError, RwLock};

use super::Event;

type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// Events have no owner that could be handed a listener, as the log has none: both are the process's.
static LISTENER: RwLock<Option<Listener>> = RwLock::new(None);

/// Has `listener` hear every event of this process from now on, in the place of the one before. It must be quick, and
/// say no event itself.
pub fn listen(listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
    *LISTENER.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(listener));
}

pub(super) fn tell(event: &Event<'_>) {
    let listener = LISTENER.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(listener) = listener {
        listener(event);
    }
}
