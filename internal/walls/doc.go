// Package walls holds the house's walls: its test reads the imports of every file and fails where a package reaches
// into a room that it must not know. CONTRIBUTING.md draws the rooms.
package walls
