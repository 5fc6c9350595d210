/* SPDX-License-Identifier: ISC */
/* The version that --version prints and status reports. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define PATCHFLOW_VERSION "0.1.0"

#endif
