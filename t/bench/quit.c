/* quit: the least a core_pattern handler can do. */
int
main(void)
{
	return 0;
}
