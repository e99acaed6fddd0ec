/*
 * Keeps a second copy of what a process has forced to the disk, so that a test can take everything else away from it.
 * Preloaded (LD_PRELOAD) into the broker; built by power-loss-shim.ts with the machine's compiler; read by
 * power-loss-disk.ts, which also decides what a loss of power leaves behind. Linux and glibc.
 *
 *   MILLRACE_POWER_LOSS_WATCH    the directory whose files are watched; it must exist
 *   MILLRACE_POWER_LOSS_JOURNAL  a directory outside of it, empty: gets `journal` and `contents/`
 *   MILLRACE_POWER_LOSS_DELAY    milliseconds that each sync of a file takes longer: what can happen while a commit is
 *                                under way, a cut above all, then does happen
 *
 * Written data is not watched at all. That would be hopeless from here: LevelDB writes through stdio, and stdio's own
 * calls of write() pass by every preloaded library. It is not needed either: at the entry of fsync() or fdatasync() the
 * file holds all that was written before, and this is what the call promises to make durable. So at that moment what
 * has been added to the file since its last sync is copied to `contents/<id>.<version>`; then the real call is made;
 * and when it has succeeded, and before it returns to the caller, a line is written to `journal`. A process that is
 * killed in between has not been told that the sync succeeded, and the line is missing.
 *
 * Names are watched: creating, renaming, linking and removing are journalled when they have happened, in their order.
 * They do not become durable by happening. What makes them so is in power-loss-disk.ts.
 *
 * The journal and the copies are written with plain write(): they outlive the process, and need to outlive no more.
 *
 * Lines of the journal, fields divided by tabs, paths relative to the watched directory:
 *   exists <id> <path>             was there at the start, and is durable with all its bytes
 *   directory <path>               likewise
 *   ready                          the start is over
 *   create <id> <path>             a new file
 *   mkdir <path>  rmdir <path>  unlink <path>  rename <from> <to>  link <from> <to>
 *   truncate <id>                  bytes that were there are gone, or about to be replaced
 *   sync <id> <version> <bytes> <size>
 *                                  so many bytes of contents/<id>.<version> are durable, and zeros behind them up to the
 *                                  size: room that was made in advance, which is overwritten from its start on
 *   syncdir <line> <path>          the names in this directory are durable, as they were after that line
 *   unsupported <what> <path>      something that this layer does not model; the test must not go on
 *
 * Files may grow, may be written over zeros at their end, and may be rewritten from the start after a truncation or when they are small. A large file that is
 * overwritten in place would go unnoticed here; power-loss-disk.ts compares the copy with the file and notices.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Up to this size the whole copy is compared at each sync; beyond it, the last block of it. */
#define COMPARED_BYTES 65536
#define BLOCK_BYTES 4096

struct file {
  dev_t device;
  ino_t inode;
  unsigned id;
  unsigned version;
  off_t copied;
  int is_stale;
  struct file *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static unsigned last_id;
static unsigned long lines;
static unsigned delay_milliseconds;
static int journal = -1;
static char root[PATH_MAX];
static char contents[PATH_MAX];

#define REAL(name) \
  static __typeof__(name) *real; \
  if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* ---- the journal -------------------------------------------------------------------------------------------------- */

static void die(const char *what) {
  dprintf(2, "power-loss shim: %s: %s\n", what, strerror(errno));
  _exit(99);
}

static void note(const char *format, ...) {
  char line[2 * PATH_MAX + 64];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (write(journal, line, (size_t)length) != length) die("cannot write the journal");
  lines++;
}

/* ---- paths -------------------------------------------------------------------------------------------------------- */

/* The path below the watched directory, or NULL. The last part of a path need not exist, and is not followed. */
static const char *below(int directory, const char *path, char *buffer) {
  char whole[2 * PATH_MAX + 2], parent[PATH_MAX];
  if (journal < 0 || path == NULL) return NULL;
  if (path[0] == '/' || directory == AT_FDCWD) {
    snprintf(whole, sizeof whole, "%s", path);
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, parent, sizeof parent - 1);
    if (length < 0) return NULL;
    parent[length] = 0;
    snprintf(whole, sizeof whole, "%s/%s", parent, path);
  }
  size_t length = strlen(whole);
  while (length > 1 && whole[length - 1] == '/') whole[--length] = 0;
  char *name = strrchr(whole, '/');
  if (name == NULL) {
    if (realpath(".", parent) == NULL) return NULL;
    name = whole;
  } else {
    *name++ = 0;
    if (realpath(whole[0] == 0 ? "/" : whole, parent) == NULL) return NULL;
  }
  if (snprintf(buffer, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return NULL;
  size_t prefix = strlen(root);
  if (strncmp(buffer, root, prefix) != 0 || buffer[prefix] != '/') return NULL;
  return buffer + prefix + 1;
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static struct file *find_file(const struct stat *status) {
  for (struct file *file = files; file != NULL; file = file->next) {
    if (file->device == status->st_dev && file->inode == status->st_ino) return file;
  }
  return NULL;
}

/* An inode number may come back with another file: a new file is always a new id. */
static struct file *add_file(const struct stat *status) {
  struct file *file = find_file(status);
  if (file == NULL) {
    file = calloc(1, sizeof *file);
    if (file == NULL) die("no memory");
    file->next = files;
    files = file;
  }
  file->device = status->st_dev;
  file->inode = status->st_ino;
  file->id = ++last_id;
  file->version = 0;
  file->copied = 0;
  file->is_stale = 0;
  return file;
}

static int open_copy(const struct file *file) {
  char path[PATH_MAX + 32];
  snprintf(path, sizeof path, "%s/%u.%u", contents, file->id, file->version);
  REAL(open);
  int copy = real(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (copy < 0) die("cannot open a copy");
  return copy;
}

static int is_same(int source, int copy, off_t from, off_t to) {
  char ours[BLOCK_BYTES], theirs[BLOCK_BYTES];
  while (from < to) {
    size_t wanted = to - from < BLOCK_BYTES ? (size_t)(to - from) : BLOCK_BYTES;
    if (pread(source, theirs, wanted, from) != (ssize_t)wanted) return 0;
    if (pread(copy, ours, wanted, from) != (ssize_t)wanted) return 0;
    if (memcmp(ours, theirs, wanted) != 0) return 0;
    from += (off_t)wanted;
  }
  return 1;
}

/* Where the zeros begin with which the first `size` bytes of the file end. */
static off_t before_zeros(int source, off_t size) {
  char block[BLOCK_BYTES];
  while (size > 0) {
    size_t wanted = size % BLOCK_BYTES == 0 ? BLOCK_BYTES : (size_t)(size % BLOCK_BYTES);
    if (pread(source, block, wanted, size - (off_t)wanted) != (ssize_t)wanted) die("cannot read a file");
    for (size_t at = wanted; at > 0; at--) {
      if (block[at - 1] != 0) return size - (off_t)(wanted - at);
    }
    size -= (off_t)wanted;
  }
  return 0;
}

/* Brings the copy up to the first `size` bytes of the file behind `descriptor`, which need not be readable. */
static void copy_file(struct file *file, int descriptor, off_t size) {
  char path[64], buffer[65536];
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  REAL(open);
  int source = real(path, O_RDONLY | O_CLOEXEC);
  if (source < 0) die("cannot read a file");
  off_t bytes = before_zeros(source, size);
  int copy = open_copy(file);
  off_t compared = file->copied <= COMPARED_BYTES ? 0 : file->copied - BLOCK_BYTES;
  if (file->is_stale || bytes < file->copied || !is_same(source, copy, compared, file->copied)) {
    close(copy);
    file->version++;
    file->copied = 0;
    file->is_stale = 0;
    copy = open_copy(file);
  }
  while (file->copied < bytes) {
    off_t left = bytes - file->copied;
    size_t wanted = left < (off_t)sizeof buffer ? (size_t)left : sizeof buffer;
    ssize_t got = pread(source, buffer, wanted, file->copied);
    if (got <= 0) break;
    if (pwrite(copy, buffer, (size_t)got, file->copied) != got) die("cannot write a copy");
    file->copied += got;
  }
  close(copy);
  close(source);
}

/* ---- the start ---------------------------------------------------------------------------------------------------- */

static void scan(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) die("cannot read the watched directory");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    char child[PATH_MAX];
    struct stat status;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (snprintf(child, sizeof child, "%s/%s", path, entry->d_name) >= PATH_MAX) continue;
    if (lstat(child, &status) != 0) continue;
    const char *relative = child + strlen(root) + 1;
    if (S_ISDIR(status.st_mode)) {
      note("directory\t%s\n", relative);
      scan(child);
    } else if (S_ISREG(status.st_mode)) {
      REAL(open);
      int descriptor = real(child, O_RDONLY | O_CLOEXEC);
      if (descriptor < 0) die("cannot open a watched file");
      struct file *file = add_file(&status);
      copy_file(file, descriptor, status.st_size);
      close(descriptor);
      note("exists\t%u\t%s\n", file->id, relative);
      note("sync\t%u\t%u\t%lld\t%lld\n", file->id, file->version, (long long)file->copied, (long long)status.st_size);
    }
  }
  closedir(directory);
}

__attribute__((constructor)) static void start(void) {
  const char *watch = getenv("MILLRACE_POWER_LOSS_WATCH");
  const char *folder = getenv("MILLRACE_POWER_LOSS_JOURNAL");
  if (watch == NULL || folder == NULL) return;
  const char *delay = getenv("MILLRACE_POWER_LOSS_DELAY");
  char path[PATH_MAX];
  if (delay != NULL) delay_milliseconds = (unsigned)atoi(delay);
  if (realpath(watch, root) == NULL) die(watch);
  snprintf(contents, sizeof contents, "%s/contents", folder);
  if (mkdir(contents, 0755) != 0) die("cannot make the folder of contents");
  snprintf(path, sizeof path, "%s/journal", folder);
  REAL(open);
  int low = real(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (low < 0) die("cannot make the journal");
  /* Out of the way of a process that counts on low numbers. */
  journal = fcntl(low, F_DUPFD_CLOEXEC, 200);
  close(low);
  /* What this process starts is watched by nobody: two writers would spoil the journal. */
  unsetenv("LD_PRELOAD");
  unsetenv("MILLRACE_POWER_LOSS_WATCH");
  scan(root);
  note("ready\n");
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

struct opening {
  char buffer[PATH_MAX];
  const char *path;
  int existed;
};

/* Takes the lock if the path is watched and the opening may change it. */
static int begin_opening(struct opening *opening, int directory, const char *path, int flags) {
  if ((flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) == 0) return 0;
  opening->path = below(directory, path, opening->buffer);
  if (opening->path == NULL) return 0;
  struct stat status;
  pthread_mutex_lock(&lock);
  opening->existed = lstat(opening->buffer, &status) == 0;
  return 1;
}

static void end_opening(const struct opening *opening, int descriptor, int flags) {
  struct stat status;
  int saved = errno;
  if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    if (!opening->existed) {
      note("create\t%u\t%s\n", add_file(&status)->id, opening->path);
    } else if (flags & O_TRUNC) {
      struct file *file = find_file(&status);
      if (file != NULL) {
        file->is_stale = 1;
        note("truncate\t%u\n", file->id);
      }
    }
    if (flags & (O_DSYNC | O_SYNC) & ~O_CREAT) note("unsupported\tO_SYNC\t%s\n", opening->path);
    if (flags & O_DIRECT) note("unsupported\tO_DIRECT\t%s\n", opening->path);
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
}

#define OPEN(name, directory, parameters, call) \
  int name parameters { \
    REAL(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
      va_list arguments; \
      va_start(arguments, flags); \
      mode = va_arg(arguments, mode_t); \
      va_end(arguments); \
    } \
    struct opening opening; \
    int is_watched = begin_opening(&opening, directory, path, flags); \
    int descriptor = call; \
    if (is_watched) end_opening(&opening, descriptor, flags); \
    return descriptor; \
  }

OPEN(open, AT_FDCWD, (const char *path, int flags, ...), real(path, flags, mode))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), real(path, flags, mode))
OPEN(openat, directory, (int directory, const char *path, int flags, ...), real(directory, path, flags, mode))
OPEN(openat64, directory, (int directory, const char *path, int flags, ...), real(directory, path, flags, mode))

#define CREAT(name) \
  int name(const char *path, mode_t mode) { \
    REAL(name); \
    struct opening opening; \
    int flags = O_CREAT | O_WRONLY | O_TRUNC; \
    int is_watched = begin_opening(&opening, AT_FDCWD, path, flags); \
    int descriptor = real(path, mode); \
    if (is_watched) end_opening(&opening, descriptor, flags); \
    return descriptor; \
  }

CREAT(creat)
CREAT(creat64)

#define FOPEN(name) \
  FILE *name(const char *path, const char *mode) { \
    REAL(name); \
    struct opening opening; \
    int flags = mode[0] == 'w' ? O_CREAT | O_TRUNC | O_WRONLY : mode[0] == 'a' ? O_CREAT | O_WRONLY : O_RDONLY; \
    int is_watched = begin_opening(&opening, AT_FDCWD, path, flags); \
    FILE *stream = real(path, mode); \
    if (is_watched) end_opening(&opening, stream == NULL ? -1 : fileno(stream), flags); \
    return stream; \
  }

FOPEN(fopen)
FOPEN(fopen64)

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* One change of one name: made and journalled under the lock, so that the journal has the order in which they happened. */
#define NAME(operation, directory, path, call) \
  do { \
    char buffer[PATH_MAX]; \
    const char *watched = below(directory, path, buffer); \
    if (watched == NULL) return call; \
    pthread_mutex_lock(&lock); \
    int result = call; \
    int saved = errno; \
    if (result == 0) note("%s\t%s\n", operation, watched); \
    pthread_mutex_unlock(&lock); \
    errno = saved; \
    return result; \
  } while (0)

#define NAMES(operation, from_directory, from, to_directory, to, call) \
  do { \
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX]; \
    const char *watched_from = below(from_directory, from, from_buffer); \
    const char *watched_to = below(to_directory, to, to_buffer); \
    if (watched_from == NULL && watched_to == NULL) return call; \
    pthread_mutex_lock(&lock); \
    int result = call; \
    int saved = errno; \
    if (result == 0 && (watched_from == NULL || watched_to == NULL)) { \
      note("unsupported\t%s\t%s\n", operation " over the border", from); \
    } else if (result == 0) { \
      note("%s\t%s\t%s\n", operation, watched_from, watched_to); \
    } \
    pthread_mutex_unlock(&lock); \
    errno = saved; \
    return result; \
  } while (0)

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  NAME("mkdir", AT_FDCWD, path, real(path, mode));
}

int mkdirat(int directory, const char *path, mode_t mode) {
  REAL(mkdirat);
  NAME("mkdir", directory, path, real(directory, path, mode));
}

int rmdir(const char *path) {
  REAL(rmdir);
  NAME("rmdir", AT_FDCWD, path, real(path));
}

int unlink(const char *path) {
  REAL(unlink);
  NAME("unlink", AT_FDCWD, path, real(path));
}

int unlinkat(int directory, const char *path, int flags) {
  REAL(unlinkat);
  NAME(flags & AT_REMOVEDIR ? "rmdir" : "unlink", directory, path, real(directory, path, flags));
}

int rename(const char *from, const char *to) {
  REAL(rename);
  NAMES("rename", AT_FDCWD, from, AT_FDCWD, to, real(from, to));
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
  REAL(renameat);
  NAMES("rename", from_directory, from, to_directory, to, real(from_directory, from, to_directory, to));
}

int link(const char *from, const char *to) {
  REAL(link);
  NAMES("link", AT_FDCWD, from, AT_FDCWD, to, real(from, to));
}

/* ---- truncating --------------------------------------------------------------------------------------------------- */

static void note_truncated(const struct stat *status) {
  if (journal < 0) return;
  pthread_mutex_lock(&lock);
  struct file *file = find_file(status);
  if (file != NULL) {
    file->is_stale = 1;
    note("truncate\t%u\n", file->id);
  }
  pthread_mutex_unlock(&lock);
}

#define FTRUNCATE(name, type) \
  int name(int descriptor, type length) { \
    REAL(name); \
    struct stat status; \
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) note_truncated(&status); \
    return real(descriptor, length); \
  }

#define TRUNCATE(name, type) \
  int name(const char *path, type length) { \
    REAL(name); \
    struct stat status; \
    if (stat(path, &status) == 0) note_truncated(&status); \
    return real(path, length); \
  }

FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)
TRUNCATE(truncate, off_t)
TRUNCATE(truncate64, off64_t)

/* ---- syncing ------------------------------------------------------------------------------------------------------ */

static int sync_directory(int descriptor, int (*real)(int)) {
  char link[64], target[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = 0;
  size_t prefix = strlen(root);
  int is_watched = strncmp(target, root, prefix) == 0 && (target[prefix] == '/' || target[prefix] == 0);
  pthread_mutex_lock(&lock);
  unsigned long line = lines;
  pthread_mutex_unlock(&lock);
  int result = real(descriptor);
  int saved = errno;
  if (result == 0 && is_watched) {
    pthread_mutex_lock(&lock);
    note("syncdir\t%lu\t%s\n", line, target[prefix] == '/' ? target + prefix + 1 : "");
    pthread_mutex_unlock(&lock);
  }
  errno = saved;
  return result;
}

static int sync_file(int descriptor, int (*real)(int)) {
  struct stat status;
  if (journal < 0 || fstat(descriptor, &status) != 0) return real(descriptor);
  if (S_ISDIR(status.st_mode)) return sync_directory(descriptor, real);
  pthread_mutex_lock(&lock);
  struct file *file = S_ISREG(status.st_mode) ? find_file(&status) : NULL;
  /* The size once more, under the lock: of two syncs of one file, the later copies no less. */
  if (file == NULL || fstat(descriptor, &status) != 0) {
    pthread_mutex_unlock(&lock);
    return real(descriptor);
  }
  copy_file(file, descriptor, status.st_size);
  unsigned id = file->id, version = file->version;
  long long bytes = (long long)file->copied, size = (long long)status.st_size;
  pthread_mutex_unlock(&lock);
  int result = real(descriptor);
  int saved = errno;
  if (delay_milliseconds > 0) usleep(delay_milliseconds * 1000);
  if (result == 0) {
    pthread_mutex_lock(&lock);
    note("sync\t%u\t%u\t%lld\t%lld\n", id, version, bytes, size);
    pthread_mutex_unlock(&lock);
  }
  errno = saved;
  return result;
}

int fsync(int descriptor) {
  REAL(fsync);
  return sync_file(descriptor, real);
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  return sync_file(descriptor, real);
}
