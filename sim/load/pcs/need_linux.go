package pcs

import "syscall"

// machine says what is free on the disk of a folder and how much memory there
// is, in bytes; -1: not known.
func machine(dir string) (disk, memory int64) {
	disk, memory = -1, -1
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) == nil {
		disk = int64(fs.Bavail) * fs.Bsize
	}
	var all syscall.Sysinfo_t
	if syscall.Sysinfo(&all) == nil {
		memory = int64(all.Totalram) * int64(all.Unit)
	}
	return disk, memory
}
