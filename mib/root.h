/*
 * Where TCP-RESET-MIB stands in the tree of OIDs: the only place in C that says so.
 * `make MIB_ROOT=1.3.6.1.4.1.<PEN>.<n>` puts another one in.
 */
#ifndef RSTWATCH_ROOT_H
#define RSTWATCH_ROOT_H

/* enterprises netSnmp netSnmpExperimental netSnmpPlaypen 778 */
#ifndef MIB_ROOT
#define MIB_ROOT 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 778
#endif

#endif
