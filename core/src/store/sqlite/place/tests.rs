//! Creation of a file under its final name.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A path in a new directory.
struct Scene(Place);

impl Scene {
    fn new() -> Self {
        static SCENES: AtomicU32 = AtomicU32::new(0);
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let name = format!("portier-client-place-{}-{number}", process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        let path = directory.join("logins.db");
        Self(Place { directory, path })
    }

    fn names(&self) -> Vec<String> {
        let all = fs::read_dir(&self.0.directory).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// A draft that a crash has left behind.
    fn leave(&self, number: u32) {
        let name = format!(".logins.db.{}-{number}", process::id());
        fs::write(self.0.directory.join(name), "").unwrap();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.directory);
    }
}

#[test]
fn a_file_that_another_process_has_just_made_stays_as_it_is() {
    let scene = Scene::new();
    scene.0.create().unwrap();
    assert_eq!(fs::read(scene.0.path()).unwrap(), b"");
    fs::write(scene.0.path(), "what that one wrote").unwrap();
    scene.0.create().unwrap();
    assert_eq!(fs::read(scene.0.path()).unwrap(), b"what that one wrote");
    assert_eq!(scene.names(), ["logins.db"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_is_made_where_no_link_leads_to_it() {
    // There, the draft is on another file system than the file.
    let Scene(place) = &Scene::new();
    let place = Place {
        directory: place.directory.clone(),
        path: Path::new("/dev/shm").join(place.directory.file_name().unwrap()),
    };
    place.create().unwrap();
    place.create().unwrap();
    fs::remove_file(place.path()).unwrap();
    assert_eq!(fs::read_dir(&place.directory).unwrap().count(), 0);
}

#[test]
fn a_file_that_cannot_be_made_is_an_error() {
    let scene = Scene::new();
    let place = Place {
        directory: scene.0.directory.clone(),
        path: scene.0.directory.join("nowhere").join("logins.db"),
    };
    assert_eq!(place.create().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(scene.names(), [""; 0]);
}

#[test]
fn leftovers_of_a_crash_do_no_harm() {
    let scene = Scene::new();
    scene.leave(0);
    scene.leave(1);
    scene.0.create().unwrap();
    assert_eq!(scene.names().len(), 3);
}

#[test]
fn drafts_are_not_tried_for_ever() {
    let scene = Scene::new();
    for number in 0..=MAX_DRAFTS {
        scene.leave(number);
    }
    let error = scene.0.create().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}
