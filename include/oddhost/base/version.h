/* The version that --version prints and that a run directory records. */
#ifndef ODDHOST_BASE_VERSION_H
#define ODDHOST_BASE_VERSION_H

#define ODDHOST_VERSION "0.1.0"

#endif
