package meter

// vectors are the operations behind the prefix 0xfd (core specification 2.0, 5.4.8). Numbers that are not here are not
// assigned; those from 256 on are relaxed SIMD.
var vectors = table([]family{
	{0, 10, operation{immMemory, 1, 1, costSimple}},  // loads, extending and splatting
	{11, 11, operation{immMemory, 2, 0, costSimple}}, // v128.store
	{12, 12, operation{imm16, 0, 1, costSimple}},     // v128.const
	{13, 13, operation{imm16, 2, 1, costSimple}},     // i8x16.shuffle
	{14, 14, operation{immNone, 2, 1, costSimple}},   // i8x16.swizzle
	{15, 20, operation{immNone, 1, 1, costSimple}},   // splat
	{21, 22, operation{immLane, 1, 1, costSimple}},   // i8x16.extract_lane
	{23, 23, operation{immLane, 2, 1, costSimple}},   // i8x16.replace_lane
	{24, 25, operation{immLane, 1, 1, costSimple}},   // i16x8
	{26, 26, operation{immLane, 2, 1, costSimple}},
	{27, 27, operation{immLane, 1, 1, costSimple}}, // i32x4
	{28, 28, operation{immLane, 2, 1, costSimple}},
	{29, 29, operation{immLane, 1, 1, costSimple}}, // i64x2
	{30, 30, operation{immLane, 2, 1, costSimple}},
	{31, 31, operation{immLane, 1, 1, costSimple}}, // f32x4
	{32, 32, operation{immLane, 2, 1, costSimple}},
	{33, 33, operation{immLane, 1, 1, costSimple}}, // f64x2
	{34, 34, operation{immLane, 2, 1, costSimple}},
	{35, 76, operation{immNone, 2, 1, costSimple}},       // comparisons
	{77, 77, operation{immNone, 1, 1, costSimple}},       // v128.not
	{78, 81, operation{immNone, 2, 1, costSimple}},       // and, andnot, or, xor
	{82, 82, operation{immNone, 3, 1, costSimple}},       // v128.bitselect
	{83, 83, operation{immNone, 1, 1, costSimple}},       // v128.any_true
	{84, 87, operation{immMemoryLane, 2, 1, costSimple}}, // load lane
	{88, 91, operation{immMemoryLane, 2, 0, costSimple}}, // store lane
	{92, 93, operation{immMemory, 1, 1, costSimple}},     // load zero
	{94, 100, operation{immNone, 1, 1, costSimple}},      // demote, promote, i8x16 abs to bitmask
	{101, 102, operation{immNone, 2, 1, costSimple}},     // i8x16.narrow
	{103, 106, operation{immNone, 1, 1, costSimple}},     // f32x4 rounding
	{107, 115, operation{immNone, 2, 1, costSimple}},     // i8x16 shifts, add, sub
	{116, 117, operation{immNone, 1, 1, costSimple}},     // f64x2.ceil, floor
	{118, 121, operation{immNone, 2, 1, costSimple}},     // i8x16 min, max
	{122, 122, operation{immNone, 1, 1, costSimple}},     // f64x2.trunc
	{123, 123, operation{immNone, 2, 1, costSimple}},     // i8x16.avgr_u
	{124, 129, operation{immNone, 1, 1, costSimple}},     // extadd_pairwise, i16x8 abs, neg
	{130, 130, operation{immNone, 2, 1, costSimple}},     // i16x8.q15mulr_sat_s
	{131, 132, operation{immNone, 1, 1, costSimple}},     // i16x8 all_true, bitmask
	{133, 134, operation{immNone, 2, 1, costSimple}},     // i16x8.narrow
	{135, 138, operation{immNone, 1, 1, costSimple}},     // i16x8.extend
	{139, 147, operation{immNone, 2, 1, costSimple}},     // i16x8 shifts, add, sub
	{148, 148, operation{immNone, 1, 1, costSimple}},     // f64x2.nearest
	{149, 153, operation{immNone, 2, 1, costSimple}},     // i16x8 mul, min, max
	{155, 159, operation{immNone, 2, 1, costSimple}},     // i16x8 avgr, extmul
	{160, 161, operation{immNone, 1, 1, costSimple}},     // i32x4 abs, neg
	{163, 164, operation{immNone, 1, 1, costSimple}},     // i32x4 all_true, bitmask
	{167, 170, operation{immNone, 1, 1, costSimple}},     // i32x4.extend
	{171, 174, operation{immNone, 2, 1, costSimple}},     // i32x4 shifts, add
	{177, 177, operation{immNone, 2, 1, costSimple}},     // i32x4.sub
	{181, 186, operation{immNone, 2, 1, costSimple}},     // i32x4 mul, min, max, dot
	{188, 191, operation{immNone, 2, 1, costSimple}},     // i32x4.extmul
	{192, 193, operation{immNone, 1, 1, costSimple}},     // i64x2 abs, neg
	{195, 196, operation{immNone, 1, 1, costSimple}},     // i64x2 all_true, bitmask
	{199, 202, operation{immNone, 1, 1, costSimple}},     // i64x2.extend
	{203, 206, operation{immNone, 2, 1, costSimple}},     // i64x2 shifts, add
	{209, 209, operation{immNone, 2, 1, costSimple}},     // i64x2.sub
	{213, 223, operation{immNone, 2, 1, costSimple}},     // i64x2 mul, comparisons, extmul
	{224, 225, operation{immNone, 1, 1, costSimple}},     // f32x4 abs, neg
	{227, 227, operation{immNone, 1, 1, costDivision}},   // f32x4.sqrt
	{228, 235, operation{immNone, 2, 1, costDivision}},   // f32x4 arithmetic
	{236, 237, operation{immNone, 1, 1, costSimple}},     // f64x2 abs, neg
	{239, 239, operation{immNone, 1, 1, costDivision}},   // f64x2.sqrt
	{240, 247, operation{immNone, 2, 1, costDivision}},   // f64x2 arithmetic
	{248, 255, operation{immNone, 1, 1, costSimple}},     // conversions
})
