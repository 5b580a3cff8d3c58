// Package ending knows how a PC's story may end: at success, on a screen that
// says what failed, with a code that is written down and a record in an event
// log, or in one of the waits without end that Windows is known for. Whatever
// else stands still is a mistake of the simulation, and so is a state in which a
// PC with Windows cannot be.
//
// It judges; it makes nothing happen.
package ending
