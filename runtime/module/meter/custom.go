package meter

import "strings"

// misplaced says whether a custom section has offsets into the code, or instructions of a linker, which are wrong in
// the rewritten module.
func misplaced(name string) bool {
	switch name {
	case "sourceMappingURL", "external_debug_info", "linking":
		return true
	}
	return strings.HasPrefix(name, ".debug_") || strings.HasPrefix(name, "reloc.") ||
		strings.HasPrefix(name, "metadata.code.")
}

// readCustom checks that a custom section has a name. The rest is nobody's business.
func readCustom(r *reader) {
	r.name("a custom section's name")
	r.at = r.end
}

// custom appends a custom section, the name section with its functions renumbered.
func (m *module) custom(out []byte, s section) []byte {
	r := m.reader(s)
	name := r.name("a custom section's name")
	if misplaced(name) {
		m.stats.Dropped = append(m.stats.Dropped, name)
		return out
	}
	if name != "name" {
		return appendSection(out, sectionCustom, m.binary[s.at:s.end])
	}
	names := m.names(&r)
	if names == nil {
		m.stats.Dropped = append(m.stats.Dropped, name)
		return out
	}
	return appendSection(out, sectionCustom, append(appendName(nil, name), names...))
}
